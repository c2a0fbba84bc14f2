"""What arrays of numpy and tensors of torch spell differently: a system writes its drift once for both."""

from typing import Any

import numpy as np

__all__ = ["joined", "sigmoid", "sine", "softplus", "wrapped"]


def joined(parts: list[Any]) -> Any:
    """Return arrays side by side along their last axis."""
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts, axis=-1)
    # Whoever has tensors has torch; a simulation needs none.
    import torch

    return torch.cat(parts, dim=-1)


def sine(values: Any) -> Any:
    """Return the sine of each value."""
    return np.sin(values) if isinstance(values, np.ndarray) else values.sin()


def sigmoid(values: Any) -> Any:
    """Return 1 / (1 + e^-x) of each value."""
    return 0.5 * (1 + np.tanh(0.5 * values)) if isinstance(values, np.ndarray) else values.sigmoid()


def softplus(values: Any) -> Any:
    """Return ln(1 + e^x) of each value, without overflow."""
    if isinstance(values, np.ndarray):
        return np.logaddexp(0.0, values)
    return values.relu() + (-values.abs()).exp().log1p()


def wrapped(values: Any, length: float) -> Any:
    """Return coordinates or differences in a periodic box, from -length / 2 to length / 2."""
    turns = values / length
    return values - length * (np.rint(turns) if isinstance(values, np.ndarray) else turns.round())
