"""Trained networks of neutrino events: hits to the interaction and the particle of each prong."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.library.checks import numbers
from cloudchamber.progress import progress
from cloudchamber.storage import read_json
from cloudchamber.studies.neutrinos.classify import log_probabilities
from cloudchamber.studies.neutrinos.event_clouds import EventClouds, Window, refuse_bad_events
from cloudchamber.studies.neutrinos.inputs import EventSource
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS
from cloudchamber.studies.neutrinos.network_settings import VisibleTruthSettings
from cloudchamber.studies.neutrinos.networks import load_network

__all__ = ["NeutrinoModel", "NeutrinoProbabilities"]

# What the median energy of so many hits is within, in minimum ionising particles: in GeV it is some hundredths, in MeV
# above ten.
_TYPICAL, _ENOUGH_HITS = (0.1, 8.0), 100


@final
@dataclass(frozen=True)
class NeutrinoProbabilities:
    """What a network makes of N events.

    Attributes:
        interaction: (N, 3) float64.
        prong: (N, P, 6) float64, NaN where there is no prong.
    """

    interaction: np.ndarray
    prong: np.ndarray


@final
class NeutrinoModel:
    """A trained network of neutrino events, such as ``neutrinos train`` writes.

    Attributes:
        description: what its files say.
        window: planes and cells of the maps, and the most prongs of an event.
        interactions, particles: names of the classes of events and of prongs.
    """

    interactions: tuple[str, ...] = tuple(INTERACTIONS)
    particles: tuple[str, ...] = tuple(PRONGS)

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        stored = load_network(weights, description)
        self.window = Window(**stored.description["window"])
        self.network, self._settings = stored.network.to(present_device()), stored.settings.network
        if isinstance(self._settings, VisibleTruthSettings):
            raise InputError(f"{description}: the ceiling of the study takes the truth of events, and no hits")

    def predict(self, hits: Any, counts: Any, prongs: Any) -> NeutrinoProbabilities:
        """Return the probabilities of the interaction of events and of the particle of each prong.

        Args:
            hits: (M, 5) view (0 XZ, 1 YZ), plane, cell, energy in minimum ionising particles, and number of the prong,
                -1 for none; event after event, in the window of the network (docs/formats.md).
            counts: (N,) hits of each event.
            prongs: (N,) prongs of each event.

        Raises:
            InputError: an array is empty or has another shape, a number is not finite or impossible, the counts do
                not add up to the hits, or energies are in another unit.
        """
        values = numbers(hits, "hits", ("M", 5)).astype(np.float32)
        of_events = numbers(counts, "counts", ("N",), "iu").astype(np.int64)
        number = numbers(prongs, "prongs", (len(of_events),), "iu").astype(np.int64)
        if of_events.min() < 0:
            raise InputError(f"counts: {of_events.min()} hits of an event")
        if of_events.sum() != len(values):
            raise InputError(f"counts: add up to {of_events.sum()}, there are {len(values)} hits")
        places = values[:, [0, 1, 2, 4]]
        if (places != np.floor(places)).any():
            raise InputError("hits: a view, plane, cell or number of a prong is not whole")
        if number.min() < 0 or number.max() > self.window.prongs:
            raise InputError(f"prongs: from {number.min()} to {number.max()}, expected 0 to {self.window.prongs}")
        typical = float(np.median(values[:, 3]))
        if typical > 0 and len(values) >= _ENOUGH_HITS and not _TYPICAL[0] <= typical <= _TYPICAL[1]:
            raise InputError(f"hits: the median energy is {typical:.2g}, expected minimum ionising particles")
        n, most = len(of_events), self.window.prongs
        # Classes and truth are not looked at; that there is a prong is.
        classes = np.where(np.arange(most) < number[:, None], 0, -1)
        nothing = np.zeros(n)
        events = EventClouds(
            Path("hits"), self.window, values, of_events, np.zeros(n, np.int64), nothing, np.arange(n), classes,
            np.zeros((n, most, 6), np.float32), np.zeros((n, 5), np.float32), {}, {},
        )  # fmt: skip
        refuse_bad_events(events)
        source = EventSource(events, np.arange(n), self._settings).to(present_device())
        with progress("classification", n, "events") as bar:
            interaction, prong = log_probabilities(self.network, source, bar)
        there = events.prong_mask[:, :, None]
        return NeutrinoProbabilities(np.exp(interaction), np.where(there, np.exp(prong), np.nan))
