"""Events as the detector leaves them: hits in two views, and the prongs that they belong to."""

from dataclasses import dataclass, field
from typing import final

import numpy as np

__all__ = ["Events", "Hits", "Prongs"]


@final
@dataclass(frozen=True)
class Hits:
    """Hits of n events, ordered by event.

    Attributes:
        event: (M,) int64 from 0.
        view: (M,) int64, 0 for XZ, 1 for YZ.
        plane, cell: (M,) int64.
        energy: (M,) float64 in minimum ionising particles.
        prong: (M,) int64, position among the found prongs of the event, -1 for none.
    """

    event: np.ndarray
    view: np.ndarray
    plane: np.ndarray
    cell: np.ndarray
    energy: np.ndarray
    prong: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, rows: np.ndarray) -> "Hits":
        return Hits(**{name: getattr(self, name)[rows] for name in Hits.__annotations__})


@final
@dataclass(frozen=True)
class Prongs:
    """Prongs of n events, ordered by event, those that are found first, and by falling energy.

    Attributes:
        event: (K,) int64 from 0.
        pdg: (K,) int64 code of the particle with most energy in it.
        particles: (K,) int64 particles that were merged into it.
        energy: (K,) kinetic energy of that particle [GeV].
        visible: (K,) true energy that all of them left in the strips of both views together, halved [GeV].
        direction: (K, 3) unit vector of that particle.
        length: (K,) way from its first to its last plane with a hit, along z [cm].
        contained: (K,) bool, nothing of it left the detector as a track.
        found: (K,) bool; hits do not name a prong that is not found.
    """

    event: np.ndarray
    pdg: np.ndarray
    particles: np.ndarray
    energy: np.ndarray
    visible: np.ndarray
    direction: np.ndarray
    length: np.ndarray
    contained: np.ndarray
    found: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, rows: np.ndarray) -> "Prongs":
        return Prongs(**{name: getattr(self, name)[rows] for name in Prongs.__annotations__})


@final
@dataclass(frozen=True)
class Events:
    """n events.

    Attributes:
        number: (n,) int64.
        interaction: (n,) int64, position in ``INTERACTIONS``.
        pdg: (n,) int64 code of the neutrino.
        energy: (n,) of the neutrino [GeV].
        q2, x, y, w: (n,) momentum transfer squared [GeV^2], Bjorken x, inelasticity, mass of the hadrons [GeV].
        vertex: (n, 3) [cm]: x and y from the axis, z from the first plane.
        found: (n, 3) reconstructed vertex [cm].
        hits: of all events.
        prongs: of all events.
    """

    number: np.ndarray
    interaction: np.ndarray
    pdg: np.ndarray
    energy: np.ndarray
    q2: np.ndarray
    x: np.ndarray
    y: np.ndarray
    w: np.ndarray
    vertex: np.ndarray
    found: np.ndarray
    hits: Hits = field(repr=False)
    prongs: Prongs = field(repr=False)

    def __len__(self) -> int:
        return len(self.number)
