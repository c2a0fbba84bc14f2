"""Generated particles of a batch of events, as flat columns."""

from dataclasses import dataclass, fields
from functools import cached_property
from typing import final

import numpy as np

__all__ = ["Particles"]


@final
@dataclass(frozen=True)
class Particles:
    """Particles of ``n_events`` events in one flat table, ordered by event.

    Attributes:
        n_events: number of events, those without a particle included.
        event: (N,) int64, event of each particle, 0 to ``n_events`` - 1, not decreasing.
        pid: (N,) int32, particle data group number.
        status: (N,) int32, 1 for stable particles.
        mother: (N,) int32, row of the mother counted from the first particle of the event, -1 for none.
        charge: (N,) int32 [e].
        mass, energy, px, py, pz: (N,) float64 [GeV].
        x, y, z: (N,) float64, point of production [mm].
        time: (N,) float64, time of production times the speed of light [mm].
    """

    n_events: int
    event: np.ndarray
    pid: np.ndarray
    status: np.ndarray
    mother: np.ndarray
    charge: np.ndarray
    mass: np.ndarray
    energy: np.ndarray
    px: np.ndarray
    py: np.ndarray
    pz: np.ndarray
    x: np.ndarray
    y: np.ndarray
    z: np.ndarray
    time: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, rows: np.ndarray) -> "Particles":
        """Return the particles of a mask or of increasing row numbers; ``mother`` keeps its old numbers."""
        names = [field.name for field in fields(self) if field.name != "n_events"]
        return Particles(self.n_events, **{name: getattr(self, name)[rows] for name in names})

    @property
    def counts(self) -> np.ndarray:
        """(n_events,) int64, particles per event."""
        return np.bincount(self.event, minlength=self.n_events)

    @cached_property
    def pt(self) -> np.ndarray:
        """(N,) transverse momentum [GeV]."""
        return np.hypot(self.px, self.py)

    @cached_property
    def phi(self) -> np.ndarray:
        """(N,) azimuth of the momentum [rad]."""
        return np.arctan2(self.py, self.px)

    @cached_property
    def eta(self) -> np.ndarray:
        """(N,) pseudorapidity of the momentum; +-999.9 along the beam, as in Delphes files."""
        along_beam = self.pt == 0
        eta = np.arcsinh(self.pz / np.where(along_beam, 1.0, self.pt))
        return np.where(along_beam, np.copysign(999.9, self.pz), eta)
