"""A calorimeter: particles into towers, with resolution and thresholds (Delphes SimpleCalorimeter).

A tower lies between two consecutive eta edges; a value belongs to it if lower edge < value <= upper edge, and the phi
segmentation is that of the upper edge. What the true energy of a tower becomes is drawn from a log-normal
distribution; its position is drawn uniformly inside it.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import final

import numpy as np

__all__ = ["Calorimeter", "Segmentation", "Towers", "log_normal"]


@final
@dataclass(frozen=True)
class Towers:
    """Towers of a batch of events in one flat table.

    Attributes:
        event: (N,) int64, event of each tower.
        energy, et: (N,) float32, energy and transverse energy [GeV].
        eta, phi: (N,) float32, direction.
        time: (N,) float32 [s].
        time_hits: (N,) int32, particles behind the time.
        electromagnetic, hadronic: (N,) float32, energy by kind of calorimeter [GeV]; both 0 for muons.
        edges: (N, 4) float32, eta low, eta high, phi low, phi high; 0 for muons.
    """

    event: np.ndarray
    energy: np.ndarray
    et: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    time: np.ndarray
    time_hits: np.ndarray
    electromagnetic: np.ndarray
    hadronic: np.ndarray
    edges: np.ndarray

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, rows: np.ndarray) -> "Towers":
        """Return the towers of a mask or of row numbers."""
        return Towers(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    @staticmethod
    def joined(parts: "list[Towers]") -> "Towers":
        """Return the towers of all ``parts``, ordered by event and within an event by part."""
        columns = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Towers)
        }
        order = np.argsort(columns["event"], kind="stable")
        return Towers(**{name: column[order] for name, column in columns.items()})


@final
@dataclass(frozen=True)
class Segmentation:
    """Cells in eta and phi.

    Attributes:
        eta_edges: (B + 1,) float64, increasing.
        phi_cells: (B,) int64, how many equal cells each eta bin has around the beam; phi starts at -pi.
    """

    eta_edges: np.ndarray
    phi_cells: np.ndarray

    def bins(self, eta: np.ndarray, phi: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a mask of the points inside the edges and the eta and phi bins of those, from 0."""
        eta_bin = np.searchsorted(self.eta_edges, eta, side="left") - 1
        inside = (eta_bin >= 0) & (eta_bin < len(self.phi_cells))
        eta_bin = eta_bin[inside]
        cells = self.phi_cells[eta_bin]
        phi_bin = np.ceil((phi[inside] + np.pi) * (cells / (2 * np.pi))).astype(np.int64) - 1
        return inside, eta_bin, np.clip(phi_bin, 0, cells - 1)

    def edges(self, eta_bin: np.ndarray, phi_bin: np.ndarray) -> np.ndarray:
        """Return (N, 4) float64: eta low, eta high, phi low, phi high of cells."""
        half = self.phi_cells[eta_bin] / 2
        phi_low, phi_high = ((phi_bin + shift - half) * np.pi / half for shift in (0, 1))
        return np.column_stack([self.eta_edges[eta_bin], self.eta_edges[eta_bin + 1], phi_low, phi_high])


@final
@dataclass(frozen=True)
class Calorimeter:
    """One calorimeter.

    Attributes:
        segmentation: its cells.
        fraction: share of a particle's energy that it measures, from the particle's number ``pid``.
        resolution: standard deviation [GeV] from energy [GeV] and eta of the centre of the tower.
        energy_min: lowest energy of a tower [GeV].
        significance_min: lowest energy of a tower in units of its resolution.
        electromagnetic: whether its energy counts as electromagnetic, else as hadronic.
    """

    segmentation: Segmentation
    fraction: Callable[[np.ndarray], np.ndarray]
    resolution: Callable[[np.ndarray, np.ndarray], np.ndarray]
    energy_min: float
    significance_min: float
    electromagnetic: bool

    def measure(
        self,
        *,
        event: np.ndarray,
        pid: np.ndarray,
        energy: np.ndarray,
        eta: np.ndarray,
        phi: np.ndarray,
        time: np.ndarray,
        rng: np.random.Generator,
    ) -> Towers:
        """Return the towers of particles that arrive at (eta, phi); all arguments but ``rng`` are (N,).

        ``time`` [s] of a tower is the mean over its particles with the square of the deposited energy as weight. Towers
        come ordered by event, eta bin and phi bin.
        """
        deposit = energy * self.fraction(pid)
        hit = deposit > 0
        inside, eta_bin, phi_bin = self.segmentation.bins(eta[hit], phi[hit])
        event, deposit, time = (values[hit][inside] for values in (event, deposit, time))

        n_eta, n_phi = len(self.segmentation.phi_cells), int(self.segmentation.phi_cells.max())
        key = (event * n_eta + eta_bin) * n_phi + phi_bin
        order = np.argsort(key)
        key, deposit, time = key[order], deposit[order], time[order]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        weight = deposit**2
        true_energy, weight_sum, time_sum = (
            np.add.reduceat(values, first) if len(first) else values for values in (deposit, weight, weight * time)
        )
        cell, phi_bin = np.divmod(key[first], n_phi)
        event, eta_bin = np.divmod(cell, n_eta)
        edges = self.segmentation.edges(eta_bin, phi_bin)
        centre = 0.5 * (edges[:, 0] + edges[:, 1])

        measured = log_normal(true_energy, self.resolution(true_energy, centre), rng)
        seen = measured >= self.energy_min
        seen &= measured >= self.significance_min * self.resolution(measured, centre)
        measured, edges = measured[seen], edges[seen]
        position = edges[:, 0::2] + rng.random((len(edges), 2)) * (edges[:, 1::2] - edges[:, 0::2])
        nothing = np.zeros(len(measured), np.float32)
        measured32 = measured.astype(np.float32)
        return Towers(
            event=event[seen],
            energy=measured32,
            et=(measured / np.cosh(position[:, 0])).astype(np.float32),
            eta=position[:, 0].astype(np.float32),
            phi=position[:, 1].astype(np.float32),
            time=(time_sum / weight_sum)[seen].astype(np.float32),
            time_hits=np.diff(first, append=len(key))[seen].astype(np.int32),
            electromagnetic=measured32 if self.electromagnetic else nothing,
            hadronic=nothing if self.electromagnetic else measured32,
            edges=edges.astype(np.float32),
        )


def log_normal(mean: np.ndarray, deviation: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw from log-normal distributions with the given means and standard deviations (mean > 0), as Delphes does."""
    width2 = np.log1p((deviation / mean) ** 2)
    return mean * np.exp(np.sqrt(width2) * rng.standard_normal(len(mean)) - 0.5 * width2)
