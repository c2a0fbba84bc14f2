"""Errors of splitting schemes on interacting particles, and the orders that their slopes show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, final

import numpy as np

from cloudchamber.networks.splitting import Scheme, evolve
from cloudchamber.studies.macaron.particles import InteractingParticles, SubStep, flows_of

__all__ = ["CASES", "Case", "Kind", "Measured", "expected_order", "measure_errors", "slopes"]

# After the whole duration, or after one step of its length from the same state.
Kind = Literal["global", "one_step"]


@final
@dataclass(frozen=True)
class Case:
    """A scheme with a way to solve its parts."""

    sub_step: SubStep
    scheme: Scheme


# Exact sub-steps leave nothing to split where both parts move at once.
CASES: tuple[Case, ...] = (
    *(Case("exact", scheme) for scheme in ("lie", "strang", "lie_half_ends")),
    *(Case("midpoint", scheme) for scheme in ("lie", "strang", "unsplit", "lie_half_ends")),
    *(Case("euler", scheme) for scheme in ("lie", "strang", "unsplit", "lie_half_ends")),
)


def expected_order(case: Case, kind: Kind) -> int:
    """Return the order in theory: that of the splitting or of its sub-steps, whichever is lower; one more in one step.

    Source: arXiv 1906.02762, section 3, for exact sub-steps. With sub-steps of Euler's method, which a residual
    connection is, every scheme is of first order. One step of ``lie_half_ends`` is one of Strang.
    """
    of_splitting = 1 if case.scheme == "lie" else 2
    of_sub_steps = 1 if case.sub_step == "euler" else 2
    return min(of_splitting, of_sub_steps) + (kind == "one_step")


@final
@dataclass(frozen=True)
class Measured:
    """Errors of one case.

    Attributes:
        case: scheme and sub-steps.
        kind: what the errors are of.
        steps: (S,) numbers of steps in the whole duration.
        errors: (S, D), root mean square over particles and coordinates, of each drawn system.
    """

    case: Case
    kind: Kind
    steps: tuple[int, ...]
    errors: np.ndarray


def measure_errors(
    system: InteractingParticles, start: np.ndarray, duration: float, steps: Sequence[int], exact_step: float
) -> Iterator[Measured]:
    """Yield the errors of all cases against a solution that knows nothing of splitting.

    Args:
        system: D systems.
        start: (D, n, 2) positions at the start.
        duration: of the whole motion.
        steps: numbers of steps.
        exact_step: longest step inside of exact sub-steps.
    """
    end = system.solution(start, duration)
    after_one = {n: system.solution(start, duration / n) for n in steps}
    for case in CASES:
        flows = flows_of(system, case.sub_step, exact_step)
        of_kind: Mapping[Kind, list[np.ndarray]] = {
            "global": [_rms(evolve(start, flows, case.scheme, duration, n) - end) for n in steps],
            "one_step": [_rms(evolve(start, flows, case.scheme, duration / n, 1) - after_one[n]) for n in steps],
        }
        for kind, errors in of_kind.items():
            yield Measured(case, kind, tuple(steps), np.array(errors))


def slopes(steps: Sequence[int], errors: np.ndarray) -> np.ndarray:
    """Return the slopes (D,) of log error against log step, by least squares.

    Args:
        steps: (S,) numbers of steps.
        errors: (S, D).
    """
    fitted: np.ndarray = np.polyfit(-np.log(steps), np.log(errors), 1)[0]
    return fitted


def _rms(deviation: np.ndarray) -> np.ndarray:
    root: np.ndarray = np.sqrt(np.square(deviation).mean(axis=(1, 2)))
    return root
