"""Whether samples, or the events of one file, have as many constituents from pile-up."""

import numpy as np

__all__ = ["events_differ", "pile_up_differs"]

# Events of one card have as much pile-up, whatever the process. Fewer constituents than these are of a few collisions,
# whose number varies from event to event.
_PILE_UP_RATIO, _ENOUGH_PILE_UP = 2.0, 1000
# The mean of so many is known to a fifth, also where pile-up varies from event to event as much as its mean.
_FEWEST_EVENTS = 30


def pile_up_differs(mine: tuple[int | None, int], its: tuple[int | None, int], where: str) -> str | None:
    """Say that the second of two samples has more or less pile-up among its constituents, or return None.

    Args:
        mine, its: constituents from pile-up of both, None where nothing tells, and events.
        where: what the first is, in words.
    """
    (one, events), (other, its_events) = mine, its
    if one is None or other is None or not events or not its_events:
        return None
    # As many of each as there would be with the pile-up of the other.
    as_other, as_one = other / its_events * events, one / events * its_events
    for found, expected, source in ((one, as_other, other), (other, as_one, one)):
        if min(expected, source) >= _ENOUGH_PILE_UP and found * _PILE_UP_RATIO < expected:
            return (
                f"{other / its_events:.3g} constituents of an event come from pile-up, {where} it is {one / events:.3g}"
            )
    return None


def events_differ(pile_up: np.ndarray) -> str | None:
    """Say that the first events of a file have more or less pile-up among their constituents than the rest, or
    return None.

    Args:
        pile_up: (n,) constituents from pile-up of each event, as far as they are kept.
    """
    end = _likely_end_of_first(pile_up)
    if end is None:
        return None
    first, rest = pile_up[:end], pile_up[end:]
    sides = (int(first.sum()), len(first)), (int(rest.sum()), len(rest))
    return pile_up_differs(*sides, f"in its first {end} events")


def _likely_end_of_first(values: np.ndarray) -> int | None:
    """Return the number of events after which their mean changes most, in standard errors, or None of few events.

    This is the likeliest place of one change (Hawkins 1977), whether or not there is any.

    Args:
        values: (n,) a number of each event, in the order of the file.
    """
    n = len(values)
    if n < 2 * _FEWEST_EVENTS:
        return None
    end = np.arange(_FEWEST_EVENTS, n - _FEWEST_EVENTS + 1)
    total = np.cumsum(values, dtype=np.float64)
    first, rest = total[end - 1] / end, (total[-1] - total[end - 1]) / (n - end)
    change = np.abs(first - rest) * np.sqrt(end * (n - end))
    return int(end[change.argmax()])
