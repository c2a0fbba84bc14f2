"""Splitting schemes for particles that interact and drift, dx/dt = F(x) + G(x), as sequences of steps of the parts.

A transformer is read as such a scheme (arXiv 1906.02762): attention is a step of the interaction F and the feed-forward
part one of the drift G. The schemes know neither arrays nor tensors, so that those whose order is measured on particles
are those that a network is evaluated with.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, get_args

__all__ = ["SCHEMES", "Field", "Flow", "Part", "Scheme", "euler", "evolve", "midpoint", "parts_of"]

Scheme = Literal["lie", "strang", "lie_half_ends", "unsplit"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
Part = Literal["interaction", "drift", "both"]
# From a state to its rate of change, of the same shape.
Field = Callable[[Any], Any]
# From a state and a duration to the state after it.
Flow = Callable[[Any, float], Any]


def parts_of(scheme: Scheme, steps: int) -> Iterator[tuple[Part, float]]:
    """Yield which part moves next, and for what share of a step.

    Args:
        scheme: "lie", interaction then drift (Lie-Trotter; the standard block); "strang", half a step of drift, one of
            interaction, half of drift (Strang-Marchuk; the Macaron block); "lie_half_ends", Lie that opens with half a
            step of drift and closes with half of one; "unsplit", both at once (a parallel block).
        steps: how many, at least one.
    """
    for number in range(steps):
        match scheme:
            case "lie":
                yield from (("interaction", 1.0), ("drift", 1.0))
            case "strang":
                yield from (("drift", 0.5), ("interaction", 1.0), ("drift", 0.5))
            case "lie_half_ends":
                yield ("drift", 0.5 if number == 0 else 1.0)
                yield ("interaction", 1.0)
                if number == steps - 1:
                    yield ("drift", 0.5)
            case "unsplit":
                yield ("both", 1.0)


def evolve(state: Any, flows: Mapping[Part, Flow], scheme: Scheme, duration: float, steps: int) -> Any:
    """Return the state after ``duration``, in ``steps`` equal steps of a scheme.

    Args:
        state: array or tensor.
        flows: of the parts that the scheme moves.
        scheme: as of :func:`parts_of`.
        duration: of all steps together.
        steps: how many.

    Example:
        Two rotations that do not commute would not come back; decay and growth do.

        >>> decay, growth = (lambda x, t: x * 2.0**-t), (lambda x, t: x * 2.0**t)
        >>> evolve(3.0, {"interaction": decay, "drift": growth}, "strang", 1.0, 4)
        3.0
    """
    for part, share in parts_of(scheme, steps):
        state = flows[part](state, share * duration / steps)
    return state


def euler(field: Field) -> Flow:
    """Return one step of Euler's method, x + t f(x): a residual connection."""
    return lambda state, duration: state + duration * field(state)


def midpoint(field: Field) -> Flow:
    """Return one step of the explicit midpoint method, which is of second order and evaluates the field twice."""
    return lambda state, duration: state + duration * field(state + 0.5 * duration * field(state))
