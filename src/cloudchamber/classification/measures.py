"""How well taggers do: numbers of the test jets that count all classes alike, each for many sets of weights at once.

All of them weigh the jets with the weights of the sample, which may make mass and pT of each class flat. Each class has
the same total weight, however many jets it has. The first row of the weights is the sample itself, the others are
resamplings of it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.classification.roc import Roc, SortedScores
from cloudchamber.metrics.resampling import Estimate, bootstrap_weights
from cloudchamber.metrics.shares import of_area, of_share
from cloudchamber.preparation.unweighting import effective_size

__all__ = [
    "Reliability",
    "accuracy",
    "background_efficiency",
    "balanced",
    "calibrated_error",
    "calibration_error",
    "class_shares",
    "estimate",
    "inverse",
    "one_vs_rest",
    "reliability",
    "replicas",
    "separation",
    "share",
]

SIGNAL_EFFICIENCY = 0.5


def replicas(weights: np.ndarray, bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """Return (1 + bootstraps, N) weights: those given, then with each jet as often as a resampling has it."""
    return np.concatenate([weights[None], bootstrap_weights(len(weights), bootstraps, rng) * weights])


def balanced(weights: np.ndarray, target: np.ndarray, n_classes: int) -> np.ndarray:
    """Return weights (R, N) scaled so that each class has the same total and all together have one.

    A class without weight makes all weights of its row not a number.
    """
    totals = weights @ np.eye(n_classes)[target]
    totals[(totals == 0).any(axis=1)] = np.nan
    return weights / (n_classes * totals)[:, target]


def estimate(values: np.ndarray) -> Estimate:
    """Return the value of the sample, the first of (R,), with the standard deviation over its resamplings."""
    others = values[1:][np.isfinite(values[1:])]
    return Estimate(float(values[0]), float(others.std(ddof=1)) if len(others) > 1 else float("nan"))


def share(values: np.ndarray, weights: np.ndarray) -> Estimate:
    """Return what :func:`estimate` does of a share, whose uncertainty is not zero where it is 0 or 1.

    Args:
        values: (R,) of the sample and its resamplings.
        weights: (n,) in the sample, of the jets that it is a share of.
    """
    return of_share(estimate(values), effective_size(weights))


def separation(areas: np.ndarray, weights: np.ndarray, signal: np.ndarray) -> Estimate:
    """Return what :func:`estimate` does of the area under a ROC curve, whose uncertainty is not zero where it is 1.

    Args:
        areas: (R,) of the sample and its resamplings.
        weights: (N,) of the jets in the sample.
        signal: (N,) bool.
    """
    return of_area(estimate(areas), effective_size(weights[signal]), effective_size(weights[~signal]))


def mean_separation(areas: Sequence[np.ndarray], weights: np.ndarray, target: np.ndarray) -> Estimate:
    """Return the mean of the areas of all classes, with the uncertainty of those that are told apart entirely.

    Args:
        areas: (R,) of each class.
        weights: (N,) of the jets in the sample.
        target: (N,) int64, the class of each jet.
    """
    found = estimate(np.mean(areas, axis=0))
    # Resamplings of a class of which no jet is among the others are so too.
    of_classes = [
        separation(np.full(3, area[0]), weights, target == position).uncertainty for position, area in enumerate(areas)
    ]
    return Estimate(found.value, math.hypot(found.uncertainty, math.hypot(*of_classes) / len(areas)))


def inverse(efficiency: Estimate) -> Estimate:
    """Return one over an efficiency, the rejection, with its uncertainty propagated; infinite where none is kept."""
    if efficiency.value == 0:
        return Estimate(float("inf"), float("nan"))
    return Estimate(1 / efficiency.value, efficiency.uncertainty / efficiency.value**2)


def accuracy(correct: np.ndarray, weights: np.ndarray, target: np.ndarray | None = None) -> Estimate:
    """Return the share of jets whose most probable class is the true one.

    Args:
        correct: (N,) bool.
        weights: (R, N) from :func:`balanced`.
        target: (N,) int64, the class of each jet: classes whose jets are all right, or all wrong, then have the
            uncertainty of such a share, however few they are.
    """
    found = share(weights @ correct, weights[0])
    counts = weights[0] > 0
    if target is None or len(np.unique(correct[counts])) < 2:
        return found
    of_classes = _of_alike_classes(correct[counts], weights[0, counts], target[counts])
    return Estimate(found.value, math.hypot(found.uncertainty, *of_classes))


def _of_alike_classes(correct: np.ndarray, weights: np.ndarray, target: np.ndarray) -> Iterator[float]:
    # Resamplings of jets that are all right are all right too.
    for position in np.unique(target):
        of_class, right = weights[target == position], correct[target == position]
        total = of_class.sum()
        yield float(total * of_share(Estimate(of_class @ right / total, 0.0), effective_size(of_class)).uncertainty)


def class_shares(chosen: np.ndarray, target: np.ndarray, weights: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the share of jets of each true class that each class was chosen for, (R, K true, K chosen).

    Args:
        chosen, target: (N,) int64.
        weights: (R, N) from :func:`balanced`.
    """
    cells = np.zeros((len(weights), n_classes * n_classes))
    for row, of_jets in zip(cells, weights, strict=True):
        row[:] = np.bincount(target * n_classes + chosen, of_jets, minlength=n_classes**2)
    return n_classes * cells.reshape(-1, n_classes, n_classes)


def one_vs_rest(scores: np.ndarray, target: np.ndarray, weights: np.ndarray, position: int) -> Iterator[Roc]:
    """Yield the curve of one class against all others, for each row of the weights.

    Args:
        scores: (N, K) log probabilities.
        target: (N,) int64.
        weights: (R, N) from :func:`balanced`, so that the other classes have equal shares of the background.
        position: of the class.
    """
    ordered = SortedScores(scores[:, position], target == position)
    return (ordered.roc(of_jets) for of_jets in weights)


def background_efficiency(curve: Roc) -> float:
    """Return the background efficiency where half of the signal is kept."""
    return float(curve.background_at(SIGNAL_EFFICIENCY))


@final
@dataclass(frozen=True)
class Reliability:
    """Probabilities of the chosen classes against how often they were right, in bins of the probability.

    Attributes:
        edges: (B + 1,) of the bins.
        size: (B,) effective number of jets.
        share: (R, B) share of all jets.
        right: (R, B) share of all jets that was right.
        promised: (R, B) what the probabilities say of that share.
    """

    edges: np.ndarray
    size: np.ndarray
    share: np.ndarray
    right: np.ndarray
    promised: np.ndarray

    def accuracy(self, number: int) -> Estimate:
        """Return the part of the jets of one bin that was right."""
        return of_share(estimate(_ratio(self.right[:, number], self.share[:, number])), float(self.size[number]))

    def confidence(self, number: int) -> Estimate:
        """Return the mean probability of the jets of one bin."""
        return estimate(_ratio(self.promised[:, number], self.share[:, number]))


def _ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    return np.divide(numerator, denominator, out=np.full_like(denominator, np.nan), where=denominator > 0)


def reliability(probability: np.ndarray, correct: np.ndarray, weights: np.ndarray, bins: int) -> Reliability:
    """Return how reliable the probabilities of the chosen classes are.

    Args:
        probability: (N,) of the chosen class.
        correct: (N,) bool, whether it was the true one.
        weights: (R, N) from :func:`balanced`.
        bins: of equal width from 0 to 1.
    """
    in_bin = np.eye(bins)[np.minimum((probability * bins).astype(np.int64), bins - 1)]
    shares = [weights @ (in_bin * values[:, None]) for values in (np.ones(len(correct)), correct, probability)]
    sizes = np.array([effective_size(weights[0] * of_bin) for of_bin in in_bin.T])
    return Reliability(np.linspace(0, 1, bins + 1), sizes, *shares)


def calibration_error(of: Reliability) -> Estimate:
    """Return the expected calibration error (arXiv 1706.04599): the mean |accuracy - confidence| of the bins."""
    return estimate(np.abs(of.right - of.promised).sum(axis=1))


def calibrated_error(
    probability: np.ndarray, weights: np.ndarray, bins: int, draws: int, rng: np.random.Generator
) -> Estimate:
    """Return the calibration error that jets like these have where all probabilities are true: mean and spread.

    It is above zero, since a finite number of jets in a bin is right by chance more or less often than promised.

    Args:
        probability: (N,) of the chosen class.
        weights: (N,) of total one.
        bins: of equal width from 0 to 1.
        draws: samples with right and wrong drawn by the probabilities.
        rng: generator of the draws.
    """
    of_jets = weights[None]
    errors = [
        calibration_error(reliability(probability, rng.random(len(weights)) < probability, of_jets, bins)).value
        for _ in range(draws)
    ]
    return Estimate(float(np.mean(errors)), float(np.std(errors, ddof=1)))
