"""Flavour and b-tag of jets, as in Delphes (arXiv 1307.6346): modules JetFlavorAssociation and BTagging."""

import numpy as np

from cloudchamber.jets.relative import wrap
from cloudchamber.simulation.atlas_card import ATLAS, DetectorCard
from cloudchamber.simulation.collisions import HeavyQuarks
from cloudchamber.simulation.objects import Jets

__all__ = ["b_tags", "jet_flavours"]


def jet_flavours(jets: Jets, quarks: HeavyQuarks, card: DetectorCard = ATLAS) -> np.ndarray:
    """Return (N,) the heaviest flavour of the quarks near each jet: 5, 4, or 0 where there is neither b nor c.

    Unlike in Delphes, light quarks and gluons are not told apart, which no b-tag asks for.
    """
    seen = np.abs(quarks.eta) < card.flavour_eta_max
    event, flavour, eta, phi = (values[seen] for values in (quarks.event, quarks.flavour, quarks.eta, quarks.phi))
    first, last = (np.searchsorted(event, jets.event, side=side) for side in ("left", "right"))
    pairs = last - first
    jet = np.repeat(np.arange(len(jets.event)), pairs)
    quark = np.arange(len(jet)) + np.repeat(last - np.cumsum(pairs), pairs)
    near = np.hypot(eta[quark] - jets.eta[jet], wrap(phi[quark] - jets.phi[jet])) <= card.flavour_radius
    found = np.zeros(len(jets.event), np.int64)
    np.maximum.at(found, jet[near], flavour[quark[near]])
    return found


def b_tags(jets: Jets, flavours: np.ndarray, rng: np.random.Generator, card: DetectorCard = ATLAS) -> np.ndarray:
    """Return (N,) bool, which jets are tagged: drawn with the efficiency of their flavour and transverse momentum."""
    drawn: np.ndarray = rng.random(len(flavours)) < card.b_tag_efficiency(flavours, jets.pt.astype(np.float64))
    return drawn
