"""Jets of towers and jets of generated particles (anti-kt, arXiv 0802.1189, with FastJet, arXiv 1111.6097)."""

from dataclasses import dataclass
from typing import final

import awkward as ak
import numpy as np

from cloudchamber.particle_codes import INVISIBLE
from cloudchamber.quiet_fastjet import fastjet
from cloudchamber.simulation.atlas_card import ATLAS, DetectorCard
from cloudchamber.simulation.calorimeter import Towers
from cloudchamber.simulation.particles import Particles

__all__ = ["Jets", "generated_jets", "tower_jets"]


@final
@dataclass(frozen=True)
class Jets:
    """Jets of a batch of events in one flat table, ordered by event and falling transverse momentum.

    Attributes:
        event: (N,) int64, event of each jet.
        pt, mass: (N,) float32 [GeV].
        eta, phi: (N,) float32, with |phi| <= pi.
    """

    event: np.ndarray
    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass: np.ndarray


def tower_jets(towers: Towers, n_events: int, card: DetectorCard = ATLAS) -> tuple[Jets, np.ndarray]:
    """Cluster towers into jets and correct the energy scale of those.

    Unlike in Delphes, no jet is removed for an isolated photon, electron or muon at its place.

    Returns:
        the jets, and (towers,) int32 for each tower the number of its jet in the event, -1 for none.
    """
    et, eta, phi = (values.astype(np.float64) for values in (towers.et, towers.eta, towers.phi))
    momenta = (et * np.cos(phi), et * np.sin(phi), et * np.sinh(eta), towers.energy.astype(np.float64))
    sequence = _cluster(towers.event, momenta, n_events, card)
    event, pt, eta, phi, mass = _kinematics(sequence, card)
    scale = card.jet_scale(pt, eta)
    pt, mass = pt * scale, mass * scale
    order = np.lexsort((-pt, event))
    jets = Jets(event, *(values[order].astype(np.float32) for values in (pt, eta, phi, mass)))

    rank = np.empty_like(order)
    rank[order] = np.arange(len(order)) - np.searchsorted(event, event)
    members = sequence.constituent_index(min_pt=card.jet_pt_min)
    members_per_jet = ak.to_numpy(ak.flatten(ak.num(members, axis=2)))
    first_tower = np.repeat(np.searchsorted(towers.event, event), members_per_jet)
    jet_of = np.full(len(towers), -1, np.int32)
    jet_of[first_tower + ak.to_numpy(ak.flatten(members, axis=None))] = np.repeat(rank, members_per_jet)
    return jets, jet_of


def generated_jets(particles: Particles, card: DetectorCard = ATLAS) -> Jets:
    """Cluster the stable particles other than invisible ones into jets."""
    seen = particles[(particles.status == 1) & ~np.isin(np.abs(particles.pid), INVISIBLE)]
    sequence = _cluster(seen.event, (seen.px, seen.py, seen.pz, seen.energy), seen.n_events, card)
    event, pt, eta, phi, mass = _kinematics(sequence, card)
    order = np.lexsort((-pt, event))
    return Jets(event, *(values[order].astype(np.float32) for values in (pt, eta, phi, mass)))


def _cluster(
    event: np.ndarray, momenta: tuple[np.ndarray, ...], n_events: int, card: DetectorCard
) -> fastjet.ClusterSequence:
    """Cluster the four-momenta (px, py, pz, E) of each event."""
    counts = np.bincount(event, minlength=n_events)
    records = ak.zip(dict(zip(("px", "py", "pz", "E"), momenta, strict=True)), with_name="Momentum4D")
    definition = fastjet.JetDefinition(fastjet.antikt_algorithm, card.jet_radius)
    return fastjet.ClusterSequence(ak.unflatten(records, counts), definition)


def _kinematics(
    sequence: fastjet.ClusterSequence, card: DetectorCard
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return event, pt, eta, phi and mass of the jets in the order of ``sequence``."""
    jets = sequence.inclusive_jets(min_pt=card.jet_pt_min)
    counts = ak.to_numpy(ak.num(jets))
    px, py, pz, energy = (ak.to_numpy(ak.flatten(jets[name])) for name in ("px", "py", "pz", "E"))
    pt = np.hypot(px, py)
    mass = np.sqrt(np.maximum(energy**2 - pt**2 - pz**2, 0.0))
    return np.repeat(np.arange(len(counts)), counts), pt, np.arcsinh(pz / pt), np.arctan2(py, px), mass
