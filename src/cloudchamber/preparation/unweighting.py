"""Jets that weigh the same, drawn from weighted ones; and how many equal ones weighted ones are worth."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.identical import numbered

__all__ = ["described", "effective_size", "in_words", "undecided", "unweight"]


def effective_size(weights: np.ndarray) -> float:
    """Return (sum of weights)^2 / sum of squared weights (Kish 1965), 0 where all are zero.

    Example:
        >>> effective_size(np.array([1.0, 1.0, 1.0, 3.0]))
        3.0
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0 else 0.0


def unweight(weights: np.ndarray, events: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the rows of jets that are accepted with a probability in proportion to their weight.

    The largest weight is accepted for certain, so that no jet is taken twice. All jets of an event stay or go together:
    they have one weight, and the number of jets of an event stays what it was.

    Args:
        weights: (N,) of the jets.
        events: (N, K) int64, rows that are equal belong to the same event.
        rng: decides which are accepted.

    Returns:
        (n,) int64, increasing.

    Raises:
        InputError: a weight is negative, or all are zero.

    Example:
        >>> weights = np.repeat([1.0, 3.0], 10_000)
        >>> rows = unweight(weights, np.arange(20_000)[:, None], np.random.default_rng(1))
        >>> bool((rows >= 10_000).sum() == 10_000), round(float((rows < 10_000).mean()), 2)
        (True, 0.25)
    """
    negative = weights < 0
    if negative.any():
        raise InputError(
            f"{int(negative.sum())} of {len(weights)} jets have negative event weights: none that weigh the same can "
            "be drawn from them"
        )
    largest = weights.max(initial=0.0)
    if not largest > 0:
        raise InputError(f"the event weights of all {len(weights)} jets are zero")
    owner = numbered(events)
    drawn = rng.random(int(owner.max()) + 1)[owner]
    return np.flatnonzero(drawn * largest < weights)


def described(weights: np.ndarray, rows: np.ndarray) -> dict[str, Any]:
    """Return what is to be known of the unweighting of (N,) ``weights`` to ``rows``."""
    return {
        "jets": len(weights),
        "accepted": len(rows),
        "efficiency": len(rows) / len(weights),
        "effective_size_before": effective_size(weights),
    }


def in_words(known: Mapping[str, Any]) -> str:
    """Return what :func:`described` found in one line."""
    return (
        f"unweighting leaves {known['accepted']} of {known['jets']} jets, a share of {known['efficiency']:.2g}; "
        f"with event weights they counted like {known['effective_size_before']:.0f} equal ones"
    )


def undecided(weights: np.ndarray) -> InputError:
    """Return the error of a step whose settings do not say what becomes of jets with (N,) event weights."""
    return InputError(
        f"its {len(weights)} jets have event weights from {weights.min():g} to {weights.max():g}; say what becomes of "
        "them, event_weights: unweight (jets drawn by their weights) or keep"
    )
