"""What is judged: the probabilities of one classifier, and the test events that they are of."""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.studies.neutrinos.measures import Weights

__all__ = ["Classifier", "Unseen"]


@final
@dataclass(frozen=True)
class Classifier:
    """Log probabilities of one classifier: of n events, and of k prongs, None for one that sees no prongs."""

    model: str
    seed: int
    training_events: int
    event: np.ndarray
    prong: np.ndarray | None


@final
@dataclass(frozen=True)
class Unseen:
    """The test events: classes of n events and k prongs, energies [GeV], the event of each prong, weights."""

    interaction: np.ndarray
    prong_class: np.ndarray
    owner: np.ndarray
    energy: np.ndarray
    visible: np.ndarray
    weights: Weights
    frequent: float
