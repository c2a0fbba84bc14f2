"""Single showers, true and generated, in two projections."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.cells import clustered, grid_offsets
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_displays"]

CAPTIONS = {
    "displays": (
        "Cells above threshold of one true shower of each species, or of the first four (the first of those that "
        "models are asked for), within 150 mm of the axis, and of one that the first model generated for the same "
        "particle: the side view, and the view along the axis. The numbers of cells are of the whole shower. Areas of "
        "markers grow with the energy, and their shade says the same. What an oblique incidence shifts has been "
        "undone. The heading says what made the true showers: the parametrisation is a stand-in and says nothing of "
        "real showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
}

_REACH = 150.0
# Of the scale of energies [MeV].
_TICKS = [digit * 10.0**power for power in range(-2, 5) for digit in (1, 2, 5)]


def draw_displays(files: Mapping[str, Any]) -> Figure:
    """Draw a row for each species: side and front view of a true and of a generated shower.

    Args:
        files: "showers", "sample" with "path" and "name", "models", "source" and "title".

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    sample = need(files, "sample")
    titles = {item["name"]: item["title"] for item in need(files, "models")}
    with open_showers(Path(need(files, "showers")), ("asked",)) as showers, open_showers(need(sample, "path")) as made:
        layers = geometry_in(showers).layers
        pairs = _pairs(showers, made)
        cells = [(name, energy, _cells(showers, row), _cells(made, other)) for name, energy, row, other in pairs]
    everything = np.concatenate([side[:, 3] for *_, first, second in cells for side in (first, second)])
    low, high = 1e3 * float(everything.min()), 1e3 * float(everything.max())
    norm = LogNorm(low, high)
    figure = Figure(figsize=(11.0, 2.7 * len(cells) + 0.5), layout="constrained")
    axes = figure.subplots(len(cells), 4, squeeze=False, width_ratios=[1.7, 1.0, 1.7, 1.0])
    for (name, energy, *sides), row in zip(cells, axes, strict=True):
        for number, (side, what) in enumerate(
            zip(sides, ("truth", titles.get(sample["name"], "generated")), strict=True)
        ):
            along, front = row[2 * number], row[2 * number + 1]
            size = 2 + 14 * np.sqrt(side[:, 3] / everything.max())
            shade: dict[str, Any] = {"c": 1e3 * side[:, 3], "norm": norm, "cmap": "viridis_r", "s": size, "marker": "s"}
            along.scatter(side[:, 2], side[:, 0], **shade)
            front.scatter(side[:, 0], side[:, 1], **shade)
            along.set(xlim=(-1, layers), ylim=(-_REACH, _REACH), xlabel="layer", ylabel="x [mm]")
            front.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), xlabel="x [mm]", ylabel="y [mm]")
            along.set_title(f"{SPECIES[name].symbol}, {energy:.1f} GeV: {what}")
            front.set_title(f"{len(side)} cells")
            front.set_xticks([-100, 0, 100])
    bar = figure.colorbar(ScalarMappable(norm, "viridis_r"), ax=axes, label="energy of a cell [MeV]")
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    bar.minorticks_off()
    figure.suptitle(f"{need(files, 'title')}: {need(files, 'source')}")
    return figure


def _pairs(showers: PackedCloudFile, made: PackedCloudFile) -> list[tuple[str, float, int, int]]:
    """Return species, energy and the rows of a true and of a generated shower of the same particle."""
    rows = {int(number): place for place, number in enumerate(made.label("shower"))}
    pairs = []
    for name, item in list(SPECIES.items()):
        asked = showers.part("asked")
        for row in asked[showers.label("pdg")[asked] == item.pdg]:
            if int(row) in rows and showers.counts[row] and made.counts[rows[int(row)]]:
                pairs.append((name, float(showers.feature("energy")[row]), int(row), rows[int(row)]))
                break
    if not pairs:
        raise InputError(f"{made.path}: no shower of a particle of {showers.path}")
    return pairs[:4]


def _cells(showers: PackedCloudFile, row: int) -> np.ndarray:
    offsets = grid_offsets(1, seeds.generator(0, "showers", "display", row))
    return clustered(showers.take(np.array([row])), geometry_in(showers), offsets)[0]
