"""Arms of a fair test: their measures on the same test jets, their learning rates, their differences from one arm."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from scipy import stats

from cloudchamber.classification import measures
from cloudchamber.errors import InputError
from cloudchamber.studies.macaron.settings import ComparisonSettings

__all__ = [
    "MEASURES",
    "ArmDifference",
    "TrainedArm",
    "at_best_rate",
    "detectable",
    "difference",
    "measure_jets",
]

MEASURES: tuple[str, ...] = ("accuracy", "auc", "background_efficiency")
_LEVEL, _POWER = 0.05, 0.8


@final
@dataclass(frozen=True)
class TrainedArm:
    """One training of an arm, judged on the test jets.

    Attributes:
        arm: its name.
        learning_rate, seed: of the training.
        validation_loss: the lowest.
        values: by measure (1 + R,), that of the test jets and then of their resamplings.
    """

    arm: str
    learning_rate: float
    seed: int
    validation_loss: float
    values: Mapping[str, np.ndarray]


@final
@dataclass(frozen=True)
class ArmDifference:
    """How much an arm is above another in one measure, mean over seeds.

    Attributes:
        value: mean of the first less mean of the second.
        of_jets: standard deviation over resamplings of the jets, the same for both.
        of_seeds: standard error from the spread over seeds; not a number where an arm has one seed.
        critical: so many uncertainties make a difference clear, by Student's t with the degrees of freedom of Welch and
            Satterthwaite.
    """

    value: float
    of_jets: float
    of_seeds: float
    critical: float

    @property
    def uncertainty(self) -> float:
        """Of jets and seeds together."""
        return math.hypot(self.of_jets, self.of_seeds)

    @property
    def is_clear(self) -> bool:
        """Whether it is beyond chance; never with a single seed."""
        return abs(self.value) > self.critical * self.uncertainty


def measure_jets(scores: np.ndarray, target: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the measures of one training, (1 + R,) each.

    Args:
        scores: (N, K) log probabilities of the test jets.
        target: (N,) true classes.
        weights: (1 + R, N) of :func:`cloudchamber.classification.measures.balanced`, shared by all trainings.

    Returns:
        "accuracy"; "auc", the mean over classes of one against all others; "background_efficiency", the same mean where
        half of the signal is kept.
    """
    areas, backgrounds = np.zeros(len(weights)), np.zeros(len(weights))
    classes = scores.shape[1]
    for position in range(classes):
        for row, curve in enumerate(measures.one_vs_rest(scores, target, weights, position)):
            areas[row] += curve.area / classes
            backgrounds[row] += measures.background_efficiency(curve) / classes
    correct = (scores.argmax(axis=1) == target).astype(np.float64)
    return {"accuracy": weights @ correct, "auc": areas, "background_efficiency": backgrounds}


def at_best_rate(trained: Iterable[TrainedArm]) -> dict[str, list[TrainedArm]]:
    """Return the trainings of each arm at the learning rate whose validation loss, mean over seeds, is lowest.

    Raises:
        InputError: the learning rates of an arm do not have the same seeds, so that their means cannot be compared.
    """
    of_arm: dict[str, dict[float, list[TrainedArm]]] = {}
    for item in trained:
        of_arm.setdefault(item.arm, {}).setdefault(item.learning_rate, []).append(item)
    chosen = {}
    for arm, rates in of_arm.items():
        if len({tuple(sorted(item.seed for item in items)) for items in rates.values()}) > 1:
            raise InputError(f"arm '{arm}': its learning rates do not have the same seeds")
        chosen[arm] = min(rates.values(), key=lambda items: np.mean([item.validation_loss for item in items]))
    return chosen


def difference(
    first: Sequence[TrainedArm], second: Sequence[TrainedArm], measure: str, comparisons: int = 1
) -> ArmDifference:
    """Return the first arm less the second.

    Args:
        first, second: trainings of an arm with all their seeds.
        measure: one of ``MEASURES``.
        comparisons: how many arms are compared with the second. By chance alone any of them is clear in 5 % of all
            repetitions at most (Bonferroni).
    """
    means = [np.mean([item.values[measure] for item in arm], axis=0) for arm in (first, second)]
    of_jets = measures.estimate(means[0] - means[1])
    variances = [_variance_of_mean([float(item.values[measure][0]) for item in arm]) for arm in (first, second)]
    of_seeds = math.sqrt(sum(variances))
    total = of_seeds**2 + of_jets.uncertainty**2
    spread = sum(
        variance**2 / (len(arm) - 1) for variance, arm in zip(variances, (first, second), strict=True) if variance > 0
    )
    distribution = stats.t(total**2 / spread) if spread > 0 else stats.norm()
    return ArmDifference(of_jets.value, of_jets.uncertainty, of_seeds, _critical(distribution, comparisons))


def detectable(
    settings: ComparisonSettings, seeds: tuple[int, int], jets: float, comparisons: int = 1
) -> tuple[float, float]:
    """Return the smallest difference in accuracy that is found to be clear in four of five repetitions.

    It is known before any training: from the expected spread over seeds and the expected disagreement of two trainings.

    Args:
        settings: what is expected.
        seeds: of the arm, and of the one that it is compared with.
        jets: test jets, or their effective number.
        comparisons: as of :func:`difference`.

    Returns:
        As if there were any number of test jets; and with the jets there are. Not a number for a single seed of one.
    """
    if min(seeds) < 2:
        return math.nan, math.nan
    variance = sum(1 / number for number in seeds)
    # Those of Welch and Satterthwaite, which :func:`difference` takes, where both arms spread alike.
    freedom = variance**2 / sum(1 / (number**2 * (number - 1)) for number in seeds)
    of_seeds = _factor(stats.t(freedom), comparisons) * settings.seed_spread * math.sqrt(variance)
    of_jets = _factor(stats.norm(), comparisons) * math.sqrt(settings.disagreement / jets)
    return of_seeds, math.hypot(of_seeds, of_jets)


def _factor(distribution: Any, comparisons: int) -> float:
    return _critical(distribution, comparisons) + float(distribution.ppf(_POWER))


def _critical(distribution: Any, comparisons: int) -> float:
    return float(distribution.ppf(1 - _LEVEL / (2 * comparisons)))


def _variance_of_mean(values: Sequence[float]) -> float:
    return float(np.var(values, ddof=1)) / len(values) if len(values) > 1 else math.nan
