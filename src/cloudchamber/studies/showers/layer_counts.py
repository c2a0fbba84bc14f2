"""Numbers of points in the layers of showers, and which showers are of a species."""

import numpy as np

from cloudchamber.packed_cloud_file import PackedCloudFile
from cloudchamber.studies.showers.names import SpeciesName
from cloudchamber.studies.showers.shower_file import geometry_in
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["layer_counts", "rows_of_species"]


def layer_counts(showers: PackedCloudFile, rows: np.ndarray) -> np.ndarray:
    """Return (n, L) int64 points of each layer of the showers of (n,) rows."""
    layers = geometry_in(showers).layers
    found = np.empty((len(rows), layers), np.int64)
    start = 0
    for some, part in showers.pieces(rows):
        cells = part.owners * layers + part.points[:, 2].astype(np.int64)
        found[start : start + len(some)] = np.bincount(cells, minlength=len(some) * layers).reshape(-1, layers)
        start += len(some)
    return found


def rows_of_species(showers: PackedCloudFile, part: str, species: tuple[SpeciesName, ...]) -> np.ndarray:
    """Return the rows of a part with points, of the species that are named, or of all."""
    rows = showers.part(part)
    rows = rows[showers.counts[rows] > 0]
    if not species:
        return rows
    codes = [SPECIES[name].pdg for name in species]
    return rows[np.isin(showers.label("pdg")[rows], codes)]
