"""The numbers of the stock Delphes ATLAS card (delphes/delphes, cards/delphes_card_ATLAS.tcl, release line 3.5.1)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.particle_codes import INVISIBLE
from cloudchamber.simulation.calorimeter import Calorimeter, Segmentation
from cloudchamber.simulation.propagation import Cylinder

__all__ = ["ATLAS", "DetectorCard", "jet_energy_scale"]


@final
@dataclass(frozen=True)
class DetectorCard:
    """Everything that describes a detector.

    Attributes:
        tracker: volume of the magnetic field; its surface is where the calorimeters begin.
        calorimeters: in the order in which their towers are stored.
        muon_efficiency: probability to find a muon, from pt [GeV] and eta.
        muon_resolution: relative resolution of the transverse momentum, from pt [GeV] and eta.
        jet_radius: of the anti-kt algorithm.
        jet_pt_min: lowest transverse momentum of a jet before the energy scale is applied [GeV].
        jet_scale: factor on the momentum of a jet, from pt [GeV] and eta.
        flavour_radius: largest distance of a jet from a quark that gives it its flavour.
        flavour_eta_max: largest |eta| of such a quark.
        b_tag_efficiency: probability of a b-tag, from flavour (5, 4, else light) and pt [GeV] of a jet.
    """

    tracker: Cylinder
    calorimeters: tuple[Calorimeter, ...]
    muon_efficiency: Callable[[np.ndarray, np.ndarray], np.ndarray]
    muon_resolution: Callable[[np.ndarray, np.ndarray], np.ndarray]
    jet_radius: float
    jet_pt_min: float
    jet_scale: Callable[[np.ndarray, np.ndarray], np.ndarray]
    flavour_radius: float
    flavour_eta_max: float
    b_tag_efficiency: Callable[[np.ndarray, np.ndarray], np.ndarray]


# Particles that leave nothing in a calorimeter; the card has muons, neutrinos and neutralinos.
_INVISIBLE = np.array([13, *INVISIBLE])
_ELECTROMAGNETIC = np.array([11, 22, 111])
_STRANGE_NEUTRAL = np.array([310, 3122])
_STRANGE_NEUTRAL_ECAL = 0.3


def _ecal_fraction(pid: np.ndarray) -> np.ndarray:
    kind = np.abs(pid)
    fraction = np.isin(kind, _ELECTROMAGNETIC).astype(np.float64)
    fraction[np.isin(kind, _STRANGE_NEUTRAL)] = _STRANGE_NEUTRAL_ECAL
    return fraction


def _hcal_fraction(pid: np.ndarray) -> np.ndarray:
    return np.where(np.isin(np.abs(pid), _INVISIBLE), 0.0, 1.0 - _ecal_fraction(pid))


def _resolution(
    eta_limits: tuple[float, ...], terms: tuple[tuple[float, float, float], ...]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """Return sqrt((c E)^2 + s^2 E + n^2) with (c, s, n) = ``terms`` of the |eta| region; 0 beyond the last limit."""
    squares = np.array([*terms, (0.0, 0.0, 0.0)]).T ** 2

    def deviation(energy: np.ndarray, eta: np.ndarray) -> np.ndarray:
        constant, stochastic, noise = squares[:, np.searchsorted(eta_limits, np.abs(eta), side="left")]
        return np.sqrt((constant * energy + stochastic) * energy + noise)

    return deviation


def _segmentation(*groups: tuple[int, np.ndarray]) -> Segmentation:
    """Merge (cells around the beam, upper eta edges) groups; the lowest edge of all opens the first bin."""
    edges = np.concatenate([group for _, group in groups])
    cells = np.concatenate([np.full(len(group), number) for number, group in groups])
    order = np.argsort(edges)
    return Segmentation(edges[order], cells[order][1:])


_ECAL_SEGMENTATION = _segmentation(
    (360, np.arange(-85, 87) * 0.0174),
    (360, -2.958 + np.arange(1, 85) * 0.0174),
    (360, 1.4964 + np.arange(1, 85) * 0.0174),
    (36, np.array([-5, -4.7, -4.525, -4.35, -4.175, -4, -3.825, -3.65, -3.475, -3.3, -3.125, -2.958])),
    (36, np.array([3.125, 3.3, 3.475, 3.65, 3.825, 4, 4.175, 4.35, 4.525, 4.7, 5])),
)
_HCAL_SEGMENTATION = _segmentation(
    (36, np.array([-3.2, *(np.arange(-25, 27) / 10), 3.3])),
    (18, np.array([-4.9, -4.7, -4.5, -4.3, -4.1, -3.9, -3.7, -3.5, -3.3, -3, -2.8, -2.6])),
    (18, np.array([2.8, 3, 3.2, 3.5, 3.7, 3.9, 4.1, 4.3, 4.5, 4.7, 4.9])),
)


def _muon_efficiency(pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    by_pt = np.searchsorted([0.1, 1.0], pt, side="left")
    by_eta = np.searchsorted([1.5, 2.5], np.abs(eta), side="left")
    return np.array([[0.0, 0.75, 0.99], [0.0, 0.70, 0.98], [0.0, 0.0, 0.0]])[by_eta, by_pt]


def _muon_resolution(pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    by_eta = np.minimum(np.searchsorted([0.5, 1.5, 2.5], np.abs(eta), side="left"), 2)
    constant, slope = np.array([0.01, 0.015, 0.025])[by_eta], np.array([1.0e-4, 1.5e-4, 3.5e-4])[by_eta]
    return np.minimum(np.hypot(constant, slope * pt), 1.0)


def jet_energy_scale(pt: np.ndarray, eta: np.ndarray) -> np.ndarray:
    """Return the factor on the momentum of a jet of transverse momentum ``pt`` [GeV]."""
    return np.sqrt((3.0 - 0.2 * np.abs(eta)) ** 2 / pt + 1.0)


def _b_tag_efficiency(flavour: np.ndarray, pt: np.ndarray) -> np.ndarray:
    bottom = 0.80 * np.tanh(0.003 * pt) * (30 / (1 + 0.086 * pt))
    charm = 0.20 * np.tanh(0.02 * pt) * (1 / (1 + 0.0034 * pt))
    return np.where(flavour == 5, bottom, np.where(flavour == 4, charm, 0.002 + 7.3e-6 * pt))


ATLAS = DetectorCard(
    tracker=Cylinder(radius=1.15, half_length=3.51, field=2.0),
    calorimeters=(
        Calorimeter(
            segmentation=_ECAL_SEGMENTATION,
            fraction=_ecal_fraction,
            resolution=_resolution((3.2, 4.9), ((0.0017, 0.101, 0.0), (0.035, 0.285, 0.0))),
            energy_min=0.5,
            significance_min=2.0,
            electromagnetic=True,
        ),
        Calorimeter(
            segmentation=_HCAL_SEGMENTATION,
            fraction=_hcal_fraction,
            resolution=_resolution((1.7, 3.2, 4.9), ((0.0302, 0.5205, 1.59), (0.05, 0.706, 0.0), (0.0942, 1.0, 0.0))),
            energy_min=1.0,
            significance_min=2.0,
            electromagnetic=False,
        ),
    ),
    muon_efficiency=_muon_efficiency,
    muon_resolution=_muon_resolution,
    jet_radius=0.6,
    jet_pt_min=20.0,
    jet_scale=jet_energy_scale,
    flavour_radius=0.5,
    flavour_eta_max=2.5,
    b_tag_efficiency=_b_tag_efficiency,
)
