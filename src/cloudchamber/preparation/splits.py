"""Splits into training, validation and test parts, made once and stored as indices."""

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.settings import SplitSettings

__all__ = ["split_by_event"]


def split_by_event(events: np.ndarray, settings: SplitSettings, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the rows of the parts "train", "validation" and "test", each in random order.

    All clouds of one event go to the same part: the two jets of an event share colour and recoil, so that a jet in
    the test part whose partner was trained on would not be independent.

    Args:
        events: (N, K) int64, rows that are equal belong to the same event.
        settings: fractions of the events.
        rng: decides the order.

    Raises:
        InputError: a part would be empty.
    """
    _, owner = np.unique(events, axis=0, return_inverse=True)
    n_events = int(owner.max()) + 1 if len(owner) else 0
    place = rng.permutation(n_events)[owner]
    n_train = round(settings.train * n_events)
    n_validation = round(settings.validation * n_events)
    chosen = {
        "train": place < n_train,
        "validation": (place >= n_train) & (place < n_train + n_validation),
        "test": place >= n_train + n_validation,
    }
    parts = {name: rng.permutation(np.flatnonzero(rows)) for name, rows in chosen.items()}
    for name, rows in parts.items():
        if not len(rows):
            raise InputError(f"the {name} part of {len(owner)} clouds from {n_events} events is empty")
    return parts
