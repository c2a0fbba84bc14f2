"""Parts of truth that stand for each other and are not alike, as where jets lie sorted, or file after file.

Halves of a test part, and the first training jets as a floor, are samples of one distribution only where jets lie in
random order.
"""

import math
import sys
from collections.abc import Mapping

import numpy as np

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.jets.kinematics import momenta

__all__ = ["IN_RANDOM_ORDER", "jet_columns", "say_unlike"]

IN_RANDOM_ORDER = "they are taken as jets lie, which has to be in random order"

# Standard errors of a difference of means; two jets of an event in common make it look up to 1.4 times as large.
_CLEAR = 8.0
_FEWEST = 20


def jet_columns(clouds: AnyClouds) -> dict[str, np.ndarray]:
    """Return (N,) numbers of jets that tell samples apart: features, particles, their sum and their mean radius."""
    names = [column.name for column in clouds.feature_columns]
    found: list[np.ndarray] = []
    for _, piece in clouds.pieces():
        pt, eta, phi = momenta(piece)
        total = pt.sum(axis=1)
        radius = (pt * np.hypot(eta, phi)).sum(axis=1) / np.where(total > 0, total, 1.0)
        found.append(np.column_stack([piece.features, piece.multiplicity, total, radius]))
    values = np.concatenate(found)
    return dict(zip([*names, "multiplicity", "sum of pt_rel", "radius"], values.T, strict=True))


def say_unlike(
    step: str, one: str, columns: Mapping[str, np.ndarray], other: str, others: Mapping[str, np.ndarray], why: str
) -> None:
    """Say on standard error that means of two samples of one distribution differ far beyond chance.

    Args:
        step: what says it.
        one, other: names of the samples.
        columns, others: (N,) and (M,) numbers of their jets by name.
        why: they should be alike, to follow the numbers.
    """
    apart = {name: _deviations(values, others[name]) for name, values in columns.items() if name in others}
    worst = max(apart, key=lambda name: apart[name])
    if apart[worst] > _CLEAR:
        means = f"{columns[worst].mean():.4g} and {others[worst].mean():.4g}"
        sys.stderr.write(f"{step}: WARNING: {one} and {other} are not alike: mean {worst} {means}; {why}\n")


def _deviations(first: np.ndarray, second: np.ndarray) -> float:
    """Return how many standard errors the means of two samples are apart; none where one is small."""
    if min(len(first), len(second)) < _FEWEST:
        return 0.0
    difference = abs(float(first.mean(dtype=np.float64) - second.mean(dtype=np.float64)))
    error = math.hypot(*(float(side.std(dtype=np.float64)) / math.sqrt(len(side)) for side in (first, second)))
    # Values that are all alike differ by more than rounding, or not at all.
    rounding = 1e-6 * max(abs(float(first.mean())), abs(float(second.mean())))
    return difference / max(error, rounding, 1e-300)
