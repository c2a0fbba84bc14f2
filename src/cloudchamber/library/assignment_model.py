"""Trained assignment networks: events of jets to the jets of each top quark."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber.devices import present_device
from cloudchamber.errors import InputError
from cloudchamber.library.checks import booleans, numbers
from cloudchamber.storage import read_json
from cloudchamber.studies.assignment.event_file import JET_FEATURES, Events, jets_of
from cloudchamber.studies.assignment.jets_alike import say_other_cut_than_training
from cloudchamber.studies.assignment.network_assignments import Decoded, assign
from cloudchamber.studies.assignment.stored_network import load_network

__all__ = ["AssignmentModel"]


@final
class AssignmentModel:
    """A trained assignment network, such as ``assignment train`` writes.

    Attributes:
        description: what its files say.
        partons: (particle, daughter) of each column of jets.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        stored = load_network(weights, description)
        self._training = {str(description): stored.training}
        self.network = stored.network.to(present_device())
        self.partons: tuple[tuple[str, str], ...] = tuple(self.network.topology.targets)

    def predict(self, jets: Any, mask: Any = None) -> Decoded:
        """Return the best assignment of each event.

        On standard error is said where either these events or those of the training were cut to their hardest jets.

        Args:
            jets: (N, J, 5) pt [GeV], eta, phi [rad] from minus pi or from 0 to a whole turn, mass [GeV] and b-tag (1 or
                0) of the jets of events.
            mask: (N, J), true for jets, which come first; without it those with a pt above zero.

        Returns:
            ``jets``, (N, T) positions of the jets of all partons, -1 where an event has too few; ``log_probability``,
            (N, P) of the choice for each particle; ``detection``, (N, P) probability that it has all its jets.

        Raises:
            InputError: an array is empty or has another shape, a number is not finite, a pt is not positive, a b-tag is
                neither 0 nor 1, pt, phi or mass are in other units, jets do not come first, or an event has none.
        """
        values = numbers(jets, "jets", ("N", "J", len(JET_FEATURES))).astype(np.float32)
        there = values[:, :, 0] > 0 if mask is None else booleans(mask, "mask", values.shape[:2])
        if (there[:, 1:] & ~there[:, :-1]).any():
            raise InputError("mask: the jets of an event do not come first")
        if not there[:, 0].all():
            raise InputError(f"jets: {np.count_nonzero(~there[:, 0])} of {len(values)} events have none")
        sources = {name: f"jets: column {number} ({name})" for number, name in enumerate(JET_FEATURES)}
        found = jets_of(list(np.moveaxis(values, 2, 0)), there, sources)
        say_other_cut_than_training("cloudchamber", "'jets'", there.sum(axis=1), self._training)
        targets = np.full((len(values), self.network.topology.jets), -1)
        return assign(self.network, Events(found, there, targets))
