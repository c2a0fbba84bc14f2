"""Showers as networks see them: standardised points and conditions, in memory or read from their file as needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.layer_counts import layer_counts
from cloudchamber.studies.showers.shower_file import particles_of
from cloudchamber.studies.showers.species import species_numbers

__all__ = ["CloudSource", "Scales", "StoredClouds", "count_source", "point_source"]

_COLUMNS = ("x", "y", "energy")
# As many showers are enough for means and deviations.
_FITTED = 100_000
# Smallest deviation of a standardised number of points: layers that are nearly always empty would have huge values.
_LEAST_DEVIATION = 0.1
_BYTES = 12


class CloudSource(Protocol):
    """Packed clouds of which some are taken at a time, as of :class:`cloudchamber.networks.packing.PackedClouds`."""

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> "CloudSource":
        """Return the same for ``device``."""

    def take(self, clouds: Tensor) -> tuple[Tensor, Packing, Tensor]:
        """Return rows (M, F), packing and conditions (B, C) of (B,) clouds."""


@final
@dataclass(frozen=True)
class Scales:
    """Standardisations that a model is trained with.

    Attributes:
        core: radius [mm] from which on distances to the axis enter by their logarithm; None if they enter as they are.
        points: of x, y and the logarithm of the energy of points.
        energy: of the logarithm of the incident energy.
        counts: of ln(n + 1/2) of the points n of each layer.
    """

    core: float | None
    points: Standardisation
    energy: Standardisation
    counts: Standardisation

    @classmethod
    def fit(cls, showers: PackedCloudFile, rows: np.ndarray, core: float | None = None) -> Self:
        """Fit to showers of the training part, the first 100,000 of them.

        Args:
            showers: their file.
            rows: which of them.
            core: see the attribute.

        Raises:
            InputError: they cannot be read, or all have one energy.
        """
        rows = rows[:_FITTED]
        total, squares, number = np.zeros(3), np.zeros(3), 0
        for _, part in showers.pieces(rows):
            values = _compressed(part.points[:, [0, 1, 3]], core)
            values[:, 2] = np.log(values[:, 2])
            total, squares, number = total + values.sum(axis=0), squares + (values**2).sum(axis=0), number + len(values)
        mean = total / max(number, 1)
        deviation = np.sqrt(np.maximum(squares / max(number, 1) - mean**2, 1e-12))
        points = Standardisation(_COLUMNS, ("linear", "linear", "log"), tuple(mean.tolist()), tuple(deviation.tolist()))
        energy = Standardisation.fit(showers.feature("energy")[rows, None], ("energy",), {"energy": "log"})
        counts = np.log(layer_counts(showers, rows) + 0.5)
        spread = counts.std(axis=0)
        layers = tuple(f"layer_{number}" for number in range(counts.shape[1]))
        return cls(
            core,
            points,
            energy,
            Standardisation(
                layers,
                ("log",) * len(layers),
                tuple(counts.mean(axis=0).tolist()),
                tuple(np.where(spread > 0, np.maximum(spread, _LEAST_DEVIATION), 1.0).tolist()),
            ),
        )

    def conditions(self, particles: Particles) -> np.ndarray:
        """Return (N, 5) float32: logarithm of the energy, direction, species."""
        return np.concatenate(
            [
                self.energy.forward(particles.energy[:, None]),
                particles.direction,
                species_numbers(particles.pdg, "showers")[:, None],
            ],
            axis=1,
            dtype=np.float32,
        )

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Return (M, 3) float32 standardised x, y and logarithm of the energy of points (M, 4)."""
        return self.points.forward(_compressed(points[:, [0, 1, 3]], self.core))

    def measured(self, values: np.ndarray) -> np.ndarray:
        """Return (M, 3) float32 x, y [mm] and energy of standardised points (M, 3)."""
        return _stretched(self.points.inverse(values), self.core)

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Return (N, L) int64 points of each layer from (N, L) standardised values; a shower has one at least."""
        exact = np.exp(np.minimum(values.astype(np.float64) * self.counts.deviation + self.counts.mean, 15.0)) - 0.5
        counts = np.maximum(np.rint(exact), 0).astype(np.int64)
        empty = np.flatnonzero(counts.sum(axis=1) == 0)
        counts[empty, exact[empty].argmax(axis=1)] = 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """Return a form that JSON can hold."""
        return {"core": self.core, **{name: getattr(self, name).to_json() for name in ("points", "energy", "counts")}}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the scales that :meth:`to_json` described."""
        of_columns = {name: Standardisation.from_json(value[name]) for name in ("points", "energy", "counts")}
        return cls(core=value.get("core"), **of_columns)


def _compressed(rows: np.ndarray, core: float | None) -> np.ndarray:
    """Return (M, 3) x, y, energy with ln(1 + r / core) in place of the distance r to the axis, direction kept."""
    values = rows.astype(np.float64)
    if core is not None:
        radius = np.hypot(values[:, 0], values[:, 1])
        values[:, :2] *= np.where(radius > 0, np.log1p(radius / core) / np.where(radius > 0, radius, 1), 0.0)[:, None]
    return values


def _stretched(rows: np.ndarray, core: float | None) -> np.ndarray:
    """Invert :func:`_compressed`."""
    if core is None:
        return rows
    values = rows.astype(np.float64)
    radius = np.hypot(values[:, 0], values[:, 1])
    values[:, :2] *= np.where(radius > 0, core * np.expm1(radius) / np.where(radius > 0, radius, 1), 0.0)[:, None]
    return values.astype(np.float32)


def point_source(showers: PackedCloudFile, rows: np.ndarray, scales: Scales, memory_mb: float) -> CloudSource:
    """Return the points of showers with all conditions: (M, 3) rows, and (N, 5 + L) behind each other.

    Args:
        showers: their file, which stays open as long as the source is used.
        rows: which of them.
        scales: standardisations.
        memory_mb: points of up to this size are read at once and kept; else each batch is read from the file.
    """
    counts = layer_counts(showers, rows)
    conditions = np.concatenate([scales.conditions(particles_of(showers, rows)), counts], axis=1, dtype=np.float32)
    stored = StoredClouds(showers, rows, scales, torch.from_numpy(conditions))
    if counts.sum() * _BYTES > memory_mb * 1e6:
        return stored
    values = torch.cat([stored.values(some) for some in torch.arange(len(rows)).split(1024)])
    offsets = torch.from_numpy(np.concatenate([[0], np.cumsum(counts.sum(axis=1))]))
    return PackedClouds(values, offsets, stored.conditions)


def count_source(showers: PackedCloudFile, rows: np.ndarray, scales: Scales) -> PackedClouds:
    """Return the standardised numbers of points of showers, each a cloud of one row of L numbers."""
    values = scales.counts.forward(layer_counts(showers, rows) + 0.5)
    conditions = scales.conditions(particles_of(showers, rows))
    return PackedClouds(torch.from_numpy(values), torch.arange(len(rows) + 1), torch.from_numpy(conditions))


@final
class StoredClouds:
    """Points that are read from their file batch by batch, so that memory does not grow with the file.

    Args:
        showers: open file.
        rows: (N,) which showers.
        scales: standardisations.
        conditions: (N, C).
        device: where batches go.
    """

    def __init__(
        self,
        showers: PackedCloudFile,
        rows: np.ndarray,
        scales: Scales,
        conditions: Tensor,
        device: torch.device | None = None,
    ) -> None:
        self._showers, self._rows, self._scales = showers, rows, scales
        self.conditions, self._device = conditions, device or torch.device("cpu")

    def __len__(self) -> int:
        return len(self._rows)

    def to(self, device: torch.device) -> "StoredClouds":
        """Return the same showers with batches on ``device``."""
        return StoredClouds(self._showers, self._rows, self._scales, self.conditions, device)

    def values(self, clouds: Tensor) -> Tensor:
        """Return the standardised points (M, 3) of (B,) clouds, on the CPU."""
        rows = self._rows[clouds.cpu().numpy()]
        # In the order of the file, where neighbours share what is read.
        order = np.argsort(rows)
        part = self._showers.take(rows[order])
        back = np.argsort(order)
        starts = np.concatenate([[0], np.cumsum(part.counts)])[:-1]
        counts = part.counts[back]
        first = np.cumsum(counts) - counts
        places = np.arange(len(part.points)) + np.repeat(starts[back] - first, counts)
        return torch.from_numpy(self._scales.seen(part.points[places]))

    def take(self, clouds: Tensor) -> tuple[Tensor, Packing, Tensor]:
        """Return the points (M, 3), the packing and the conditions (B, C) of (B,) chosen clouds."""
        values = self.values(clouds).to(self._device)
        counts = torch.from_numpy(self._showers.counts[self._rows[clouds.cpu().numpy()]])
        return values, Packing(counts.to(self._device)), self.conditions[clouds.cpu()].to(self._device)
