"""What is measured of showers after their points are summed up in the cells of the calorimeter."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.showers.cells import clustered, grid_offsets
from cloudchamber.studies.showers.geometry import Geometry
from cloudchamber.studies.showers.shower_file import geometry_in

__all__ = ["FEATURES", "RADIAL_EDGES", "FeatureLabel", "Observables", "observe", "observed"]

# Of the distance from the axis of the shower [mm]; the last bin holds what is further out.
RADIAL_EDGES = np.array([0, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 640], float)
# Layers in a row with this many times the energy of a minimum ionising particle begin a shower.
_START_MIPS, _START_LAYERS = 4.0, 2
_MEV = 1e-3


@final
@dataclass(frozen=True)
class FeatureLabel:
    """What a feature is called in texts and on axes."""

    words: str
    axis: str


FEATURES = {
    "visible_energy": FeatureLabel("visible energy", "visible energy [MeV]"),
    "response": FeatureLabel("response", "response $E_{rec}/E$"),
    "hits": FeatureLabel("number of hits", "hits"),
    "hit_energy": FeatureLabel("energy of a hit", "energy of a hit [MeV]"),
    "centre_layer": FeatureLabel("centre of gravity in depth", "mean layer, weighted by energy"),
    "centre_x": FeatureLabel("centre of gravity in x", "mean x, weighted by energy [mm]"),
    "centre_y": FeatureLabel("centre of gravity in y", "mean y, weighted by energy [mm]"),
    "width": FeatureLabel("mean radius", "mean radius, weighted by energy [mm]"),
    "start_layer": FeatureLabel("start layer", "start layer"),
}


@final
@dataclass(frozen=True)
class Observables:
    """Observables of N showers.

    Attributes:
        values: name among :data:`FEATURES` -> (N,) float64, but for "hit_energy".
        layer_energy: (N, L) [MeV].
        layer_hits: (N, L) int64.
        radial_energy: (N, R) [MeV] in rings of :data:`RADIAL_EDGES`.
        hit_energy: (H,) [MeV] of all hits, and ``hit_shower`` (H,) int64 the shower of each.
        cells: (H, 4) x, y, layer and energy [GeV] of all hits.
    """

    values: dict[str, np.ndarray]
    layer_energy: np.ndarray
    layer_hits: np.ndarray
    radial_energy: np.ndarray
    hit_energy: np.ndarray
    hit_shower: np.ndarray
    cells: np.ndarray

    def __len__(self) -> int:
        return len(self.layer_energy)

    def __getitem__(self, rows: np.ndarray) -> "Observables":
        """Return the observables of the showers of (n,) rows, each at most once."""
        place = np.full(len(self), -1)
        place[rows] = np.arange(len(rows))
        kept = place[self.hit_shower] >= 0
        return Observables(
            {name: values[rows] for name, values in self.values.items()},
            self.layer_energy[rows],
            self.layer_hits[rows],
            self.radial_energy[rows],
            self.hit_energy[kept],
            place[self.hit_shower[kept]],
            self.cells[kept],
        )

    @property
    def high_level(self) -> np.ndarray:
        """(N, K) float32 features for classifiers: logarithms of the energies of layers, and the values.

        Layers go in pairs, whose energies are seldom zero both.
        """
        pairs = np.add.reduceat(self.layer_energy, np.arange(0, self.layer_energy.shape[1], 2), axis=1)
        layers = np.log10(pairs + 0.01)
        rings = np.log10(self.radial_energy + 0.01)
        columns = [np.log10(self.values[name] + 0.01) for name in ("visible_energy", "hits")]
        columns += [self.values[name] for name in ("centre_layer", "centre_x", "centre_y", "width", "start_layer")]
        return np.concatenate([layers, rings, np.stack(columns, axis=1)], axis=1).astype(np.float32)


def observe(showers: PackedCloudFile, rows: np.ndarray, rng: np.random.Generator) -> Observables:
    """Return the observables of the showers of (n,) rows, each at a random place of the grid of cells."""
    geometry = geometry_in(showers)
    pieces = [
        observed(part, geometry, showers.feature("energy")[some], grid_offsets(len(some), rng))
        for some, part in showers.pieces(rows)
    ]
    starts = np.cumsum([0, *(len(piece) for piece in pieces)])
    joined = {
        name: np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ("layer_energy", "layer_hits", "radial_energy", "hit_energy", "cells")
    }
    owners = np.concatenate([piece.hit_shower + start for piece, start in zip(pieces, starts, strict=False)])
    values = {name: np.concatenate([piece.values[name] for piece in pieces]) for name in pieces[0].values}
    return Observables(values=values, hit_shower=owners, **joined)


def observed(part: PackedPart, geometry: Geometry, energy: np.ndarray, offsets: np.ndarray) -> Observables:
    """Return the observables of showers in memory.

    Args:
        part: the showers.
        geometry: cells, thresholds and sampling fractions.
        energy: (n,) incident energy [GeV].
        offsets: (n, 2) of the grid for each.
    """
    cells, owner = clustered(part, geometry, offsets)
    n, layers = len(part), geometry.layers
    layer = cells[:, 2].astype(np.int64)
    hit = cells[:, 3] / _MEV
    total = np.bincount(owner, hit, minlength=n)
    place = owner * layers + layer
    layer_energy = np.bincount(place, hit, minlength=n * layers).reshape(n, layers)
    layer_hits = np.bincount(place, minlength=n * layers).reshape(n, layers)
    radius = np.hypot(cells[:, 0], cells[:, 1])
    rings = len(RADIAL_EDGES) - 1
    ring = np.minimum(np.searchsorted(RADIAL_EDGES, radius, side="right") - 1, rings - 1)
    radial_energy = np.bincount(owner * rings + ring, hit, minlength=n * rings).reshape(n, rings)

    def centre(values: np.ndarray) -> np.ndarray:
        return np.bincount(owner, hit * values, minlength=n) / np.maximum(total, 1e-9)

    reconstructed = (layer_energy / geometry.sampling_fractions).sum(axis=1) * _MEV
    begins = layer_energy > _START_MIPS * geometry.mip_energies
    runs = np.all(np.lib.stride_tricks.sliding_window_view(begins, _START_LAYERS, axis=1), axis=2)
    start = np.where(runs.any(axis=1), runs.argmax(axis=1), layers)
    values = {
        "visible_energy": total,
        "response": reconstructed / energy,
        "hits": np.bincount(owner, minlength=n).astype(float),
        "centre_layer": centre(layer),
        "centre_x": centre(cells[:, 0]),
        "centre_y": centre(cells[:, 1]),
        "width": centre(radius),
        "start_layer": start.astype(float),
    }
    return Observables(values, layer_energy, layer_hits, radial_energy, hit, owner, cells)
