"""Particles that attract each other by attention and drift on their own: the system on which orders are measured."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, final

import numpy as np
from scipy.integrate import solve_ivp

from cloudchamber.networks.splitting import Field, Flow, Part, euler, midpoint

__all__ = ["InteractingParticles", "SubStep", "exact_flow", "flows_of"]

# How a part is solved for the length of a step.
SubStep = Literal["exact", "midpoint", "euler"]

_DRIFT_WIDTH = 8
# With it both parts move particles drawn from a normal distribution about equally fast.
_DRIFT_SCALE = 2.0
_FRICTION = 0.3
_TOLERANCE = 1e-12


@final
@dataclass(frozen=True)
class InteractingParticles:
    """D systems of n particles in the plane, each with weights of its own; states are (D, n, 2).

    The interaction pulls each particle to a mean of all, weighted by softmax attention. The drift is a small network
    with one hidden layer of tanh, and friction.

    Attributes:
        strength: of the interaction; 1 makes both parts alike in size.
        scores: (D, 2, 2), the bilinear form of the attention scores.
        inner, bias, outer: (D, 2, W), (D, 1, W) and (D, W, 2), the network of the drift.
    """

    strength: float
    scores: np.ndarray
    inner: np.ndarray
    bias: np.ndarray
    outer: np.ndarray

    @classmethod
    def drawn(cls, draws: int, strength: float, rng: np.random.Generator) -> Self:
        """Return systems with random weights."""
        return cls(
            strength,
            rng.normal(size=(draws, 2, 2)),
            rng.normal(size=(draws, 2, _DRIFT_WIDTH)),
            rng.normal(size=(draws, 1, _DRIFT_WIDTH)),
            _DRIFT_SCALE * rng.normal(size=(draws, _DRIFT_WIDTH, 2)) / np.sqrt(_DRIFT_WIDTH),
        )

    def interaction(self, state: np.ndarray) -> np.ndarray:
        """Return F, what attention does to each particle."""
        scores = state @ self.scores @ state.swapaxes(1, 2)
        weights = np.exp(scores - scores.max(axis=2, keepdims=True))
        weights /= weights.sum(axis=2, keepdims=True)
        pulled: np.ndarray = self.strength * (weights @ state - state)
        return pulled

    def drift(self, state: np.ndarray) -> np.ndarray:
        """Return G, what each particle does alone."""
        moved: np.ndarray = np.tanh(state @ self.inner + self.bias) @ self.outer - _FRICTION * state
        return moved

    def both(self, state: np.ndarray) -> np.ndarray:
        """Return F + G."""
        return self.interaction(state) + self.drift(state)

    def solution(self, state: np.ndarray, duration: float) -> np.ndarray:
        """Return the state after ``duration`` by an adaptive Runge-Kutta method of order 8, to 1e-12."""
        found = solve_ivp(
            lambda _, flat: self.both(flat.reshape(state.shape)).ravel(),
            (0.0, duration),
            state.ravel(),
            method="DOP853",
            rtol=_TOLERANCE,
            atol=_TOLERANCE,
            t_eval=[duration],
        )
        solved: np.ndarray = found.y[:, -1].reshape(state.shape)
        return solved


def exact_flow(field: Field, longest: float) -> Flow:
    """Return the flow of a field by Runge-Kutta 4 in steps of at most ``longest``, far below any splitting error."""

    def flow(state: np.ndarray, duration: float) -> np.ndarray:
        steps = int(np.ceil(duration / longest - 1e-9))
        h = duration / steps
        for _ in range(steps):
            first = field(state)
            second = field(state + 0.5 * h * first)
            third = field(state + 0.5 * h * second)
            state = state + h / 6.0 * (first + 2.0 * second + 2.0 * third + field(state + h * third))
        return state

    return flow


def flows_of(system: InteractingParticles, sub_step: SubStep, longest: float) -> Mapping[Part, Flow]:
    """Return the flows of all parts of a system.

    Args:
        system: its fields.
        sub_step: how a part is solved: "exact", "midpoint" or "euler".
        longest: step of the exact flows.
    """
    fields: Mapping[Part, Field] = {
        "interaction": system.interaction,
        "drift": system.drift,
        "both": system.both,
    }
    make = {"exact": lambda field: exact_flow(field, longest), "midpoint": midpoint, "euler": euler}[sub_step]
    return {part: make(field) for part, field in fields.items()}
