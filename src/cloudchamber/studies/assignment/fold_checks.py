"""Whether folds, which are consecutive events of a file, hold events of one kind."""

from collections.abc import Mapping

import numpy as np

from cloudchamber.studies.assignment.event_file import JET_FEATURES, Events
from cloudchamber.studies.assignment.topology import EventTopology

__all__ = ["unlike_folds"]

# Difference of the means of two folds, in standard deviations of an event, and of that difference.
_LARGEST, _SIGNIFICANT = 0.25, 5.0


def unlike_folds(events: Events, parts: Mapping[str, np.ndarray], topology: EventTopology) -> str | None:
    """Say in what the test events of two folds differ beyond chance, as where a file has one sample after another.

    Each fold is then tested on events of which its training has seen hardly any.

    Args:
        events: all.
        parts: rows by the name of a part.
        topology: which particles there are.

    Returns:
        None where they do not differ.
    """
    folds = {name.partition("/")[0]: rows for name, rows in parts.items() if name.endswith("/test") and len(rows)}
    hardest = np.where(events.mask, events.jets[:, :, JET_FEATURES.index("pt")], 0.0).max(axis=1, initial=0.0)
    quantities = {
        "mean number of jets": events.n_jets.astype(np.float64),
        "mean logarithm of the pT of the hardest jet": np.log(np.maximum(hardest, 1e-3)),
        "share of events with all particles identifiable": events.found(topology).all(axis=1).astype(np.float64),
    }
    for what, values in quantities.items():
        means = {name: float(values[rows].mean()) for name, rows in folds.items()}
        low, high = (choose(means, key=lambda name: means[name]) for choose in (min, max))
        deviation = float(np.sqrt(np.mean([values[rows].var() for rows in folds.values()])))
        apart = means[high] - means[low]
        chance = deviation * np.sqrt(1 / len(folds[low]) + 1 / len(folds[high]))
        if apart > max(_LARGEST * deviation, _SIGNIFICANT * chance):
            return f"the {what} is {means[low]:.3g} in {low} and {means[high]:.3g} in {high}"
    return None
