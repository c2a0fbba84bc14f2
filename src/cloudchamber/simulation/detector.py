"""The detector: stable particles into towers, a whole batch of events at once, without a loop over either.

The chain is that of Delphes (arXiv 1307.6346): propagation through the field, calorimeter towers, and the muons found
by the tracker, which stand among the towers of the ATLAS card with both kinds of calorimeter energy zero.
"""

import numpy as np

from cloudchamber.simulation.atlas_card import ATLAS, DetectorCard
from cloudchamber.simulation.calorimeter import Towers, log_normal
from cloudchamber.simulation.particles import Particles
from cloudchamber.simulation.propagation import SPEED_OF_LIGHT, propagate

__all__ = ["detect"]

_MUON = 13


def detect(particles: Particles, rng: np.random.Generator, card: DetectorCard = ATLAS) -> Towers:
    """Return what the detector sees of ``particles``; those that are not stable (status 1) leave nothing.

    Towers come ordered by event; inside an event by calorimeter, eta bin and phi bin, and muons last, as in Delphes.
    """
    stable = particles[particles.status == 1]
    exits = propagate(stable, card.tracker)
    stable = stable[exits.row]
    eta, phi, time = exits.eta, exits.phi, exits.time * (1e-3 / SPEED_OF_LIGHT)
    parts = [
        calorimeter.measure(
            event=stable.event, pid=stable.pid, energy=stable.energy, eta=eta, phi=phi, time=time, rng=rng
        )
        for calorimeter in card.calorimeters
    ]
    muon = np.abs(stable.pid) == _MUON
    parts.append(_muons(stable[muon], eta[muon], time[muon], rng, card))
    return Towers.joined(parts)


def _muons(
    muons: Particles, exit_eta: np.ndarray, time: np.ndarray, rng: np.random.Generator, card: DetectorCard
) -> Towers:
    """Return the muons that the tracker finds, with smeared transverse momentum and the direction of production."""
    found = rng.random(len(muons)) < card.muon_efficiency(muons.pt, exit_eta)
    muons, exit_eta, time = muons[found], exit_eta[found], time[found]
    pt = log_normal(muons.pt, muons.pt * card.muon_resolution(muons.pt, exit_eta), rng)
    nothing = np.zeros(len(muons), np.float32)
    return Towers(
        event=muons.event,
        energy=np.hypot(pt * np.cosh(muons.eta), muons.mass).astype(np.float32),
        et=pt.astype(np.float32),
        eta=muons.eta.astype(np.float32),
        phi=muons.phi.astype(np.float32),
        time=time.astype(np.float32),
        time_hits=np.zeros(len(muons), np.int32),
        electromagnetic=nothing,
        hadronic=nothing,
        edges=np.zeros((len(muons), 4), np.float32),
    )
