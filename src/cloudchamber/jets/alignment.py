"""The three prongs of each jet: which particle belongs to which, and jets mapped so that they lie on each other."""

from dataclasses import replace

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.jets.kinematics import momenta
from cloudchamber.jets.kt_clustering import exclusive_axes

__all__ = ["CORNERS", "aligned", "nearest_prong"]

# Where the hardest, the second and the third prong go.
CORNERS = np.array([[0.0, 1.0], [np.sqrt(0.75), -0.5], [-np.sqrt(0.75), -0.5]])
# Twice the area of the triangle of the prongs, in units of its longest side squared; that of CORNERS has sqrt(3)/2.
_SMALLEST_AREA = 0.3


def aligned(clouds: Clouds) -> Clouds:
    """Return the jets whose prongs make a triangle, with the corners of the triangle at ``CORNERS``.

    Prongs are the three jets that exclusive kT clustering makes of each jet. All of a jet is mapped by the one affine
    map, a turn, a stretch and a shear, that takes the hardest prong to the upper corner, the second to the right and
    the third to the left one. Jets whose prongs lie nearly on a line, which such a map would tear apart, are left out,
    as are jets of fewer than three particles.

    Any jet has prongs in this sense: how narrow they are in an average over jets tells real ones from chance.

    Args:
        clouds: jets with the point columns ``pt_rel``, ``eta_rel`` and ``phi_rel``.

    Returns:
        The jets that are kept, their coordinates in place of ``eta_rel`` and ``phi_rel``; everything else is theirs.

    Raises:
        InputError: a column is missing.
    """
    prongs = exclusive_axes(*momenta(clouds), len(CORNERS))
    places = prongs[:, :, 1:]
    to_others = places[:, 1:] - places[:, :1]
    # Rows are the vectors from the hardest prong to the other two.
    area = np.abs(to_others[:, 0, 0] * to_others[:, 1, 1] - to_others[:, 0, 1] * to_others[:, 1, 0])
    sides = np.stack([to_others[:, 0], to_others[:, 1], to_others[:, 1] - to_others[:, 0]])
    longest = (sides**2).sum(axis=2).max(axis=0)
    kept = np.flatnonzero((prongs[:, :, 0] > 0).all(axis=1) & (area >= _SMALLEST_AREA * longest) & (area > 0))
    jets = clouds[kept]
    maps = np.linalg.solve(to_others[kept], np.broadcast_to(CORNERS[1:] - CORNERS[0], (len(kept), 2, 2)))
    eta, phi = (jets.point(name).astype(np.float64) for name in ("eta_rel", "phi_rel"))
    moved = np.stack([eta, phi], axis=2) - places[kept, :1]
    mapped = np.where(jets.mask[:, :, None], moved @ maps + CORNERS[0], 0.0)
    points = jets.points.copy()
    names = [column.name for column in jets.point_columns]
    points[:, :, [names.index("eta_rel"), names.index("phi_rel")]] = mapped
    return replace(jets, points=points)


def nearest_prong(clouds: Clouds) -> np.ndarray:
    """Return (N, P) which of the three prongs each particle is nearest to: 0 is the hardest prong, 2 the softest.

    Prongs are those of :func:`aligned`, distances those in relative pseudorapidity and azimuth. Slots without a
    particle hold a number that means nothing.

    Raises:
        InputError: a column is missing.
    """
    pt, eta, phi = momenta(clouds)
    prongs = exclusive_axes(pt, eta, phi, len(CORNERS))
    squared = (eta[:, :, None] - prongs[:, None, :, 1]) ** 2 + (phi[:, :, None] - prongs[:, None, :, 2]) ** 2
    return np.where(prongs[:, None, :, 0] > 0, squared, np.inf).argmin(axis=2)
