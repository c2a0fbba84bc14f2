"""Distances of generated showers from true ones, each with an uncertainty."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.metrics.divergence import kl_divergence
from cloudchamber.metrics.resampling import Estimate, Sample, bootstrap_weights
from cloudchamber.metrics.separation import separation_power
from cloudchamber.metrics.wasserstein import wasserstein_distance
from cloudchamber.studies.showers.observables import FEATURES, Observables

__all__ = ["Measure", "distances", "feature_edges", "layer_sums", "profile_errors", "sample_of", "summaries"]

_LOGARITHMIC = ("hit_energy",)
_WHOLE = ("start_layer",)
# Layers with less of the mean energy than this part of the largest are left out of the mean over layers.
_LEAST_SHARE = 0.01


@final
@dataclass(frozen=True)
class Measure:
    """One number.

    Attributes:
        metric, feature: their names.
        estimate: value and standard deviation over resamplings.
    """

    metric: str
    feature: str
    estimate: Estimate


def sample_of(showers: Observables, feature: str) -> Sample:
    """Return the values of a feature, with the showers they belong to."""
    if feature == "hit_energy":
        return Sample(showers.hit_energy, showers.hit_shower, len(showers))
    return Sample.of_jets(showers.values[feature])


def feature_edges(truth: Observables, feature: str, bins: int) -> np.ndarray:
    """Return (K + 1,) edges of a histogram that holds 99.8 % of truth, and as much again on each side of its middle."""
    values = sample_of(truth, feature).values
    if not len(values):
        return np.linspace(0.0, 1.0, bins + 1)
    if feature in _WHOLE:
        step = max(1, round(np.ptp(values) / bins))
        return np.arange(values.min() - 0.5, values.max() + step + 0.5, step)
    values = np.log(values) if feature in _LOGARITHMIC else values
    low, high = np.quantile(values, [0.001, 0.999])
    room = 0.1 * max(high - low, 1e-6)
    low = low if feature in _LOGARITHMIC else low - room
    edges = np.linspace(low, high + room, bins + 1)
    return np.exp(edges) if feature in _LOGARITHMIC else edges


def distances(
    truth: Observables, generated: Observables, bins: int, bootstraps: int, rng: np.random.Generator
) -> Iterator[Measure]:
    """Yield divergence, Wasserstein distance and separation power of every feature."""
    weights = [bootstrap_weights(len(side), bootstraps, rng) for side in (truth, generated)]
    for feature in FEATURES:
        sides = sample_of(truth, feature), sample_of(generated, feature)
        if not len(sides[0].values) or not len(sides[1].values):
            continue
        yield Measure("kl", feature, kl_divergence(*sides, bins, *weights))
        yield Measure("w1", feature, wasserstein_distance(*sides, *weights))
        edges = feature_edges(truth, feature, bins)
        yield Measure("separation", feature, separation_power(*sides, edges, *weights))


def profile_errors(
    truth: Observables, generated: Observables, bootstraps: int, rng: np.random.Generator
) -> Iterator[Measure]:
    """Yield how much of the mean energy lies in other layers or rings: sum |a - b| over sum b of the mean profiles."""
    weights = [bootstrap_weights(len(side), bootstraps, rng) / len(side) for side in (truth, generated)]
    for name in ("layer_energy", "radial_energy"):
        sides = [getattr(side, name) for side in (truth, generated)]
        exact = [values.mean(axis=0) for values in sides]
        resampled = [weight @ values for weight, values in zip(weights, sides, strict=True)]
        value = np.abs(exact[1] - exact[0]).sum() / max(exact[0].sum(), 1e-12)
        spread = np.abs(resampled[1] - resampled[0]).sum(axis=1) / np.maximum(resampled[0].sum(axis=1), 1e-12)
        feature = "longitudinal" if name == "layer_energy" else "radial"
        yield Measure("profile_error", feature, Estimate(float(value), float(spread.std(ddof=1))))


def layer_sums(truth: Observables, generated: Observables, bootstraps: int, rng: np.random.Generator) -> Measure:
    """Return the Wasserstein distance of the energy of a layer over its true mean, averaged over layers."""
    mean = truth.layer_energy.mean(axis=0)
    layers = np.flatnonzero(mean > _LEAST_SHARE * mean.max())
    quantiles = (np.arange(100) + 0.5) / 100

    def distance(first: np.ndarray, second: np.ndarray) -> float:
        apart = np.abs(np.quantile(first, quantiles, axis=0) - np.quantile(second, quantiles, axis=0)).mean(axis=0)
        return float((apart / mean[layers]).mean())

    sides = truth.layer_energy[:, layers], generated.layer_energy[:, layers]
    resampled = [
        distance(*(side[rng.integers(len(side), size=len(side))] for side in sides)) for _ in range(min(bootstraps, 50))
    ]
    return Measure("layer_sums", "", Estimate(distance(*sides), float(np.std(resampled, ddof=1))))


def summaries(showers: Observables, bootstraps: int, rng: np.random.Generator) -> Iterator[Measure]:
    """Yield mean response, resolution (deviation over mean) and mean number of hits."""
    weights = bootstrap_weights(len(showers), bootstraps, rng) / len(showers)
    for metric, feature in (
        ("mean", "response"),
        ("resolution", "response"),
        ("mean", "hits"),
        ("mean", "centre_layer"),
    ):
        values = showers.values[feature]
        mean, square = weights @ values, weights @ values**2
        if metric == "mean":
            yield Measure(metric, feature, Estimate(float(values.mean()), float(mean.std(ddof=1))))
        else:
            spread = np.sqrt(np.maximum(square - mean**2, 0.0)) / np.maximum(mean, 1e-12)
            value = values.std() / max(float(values.mean()), 1e-12)
            yield Measure(metric, feature, Estimate(float(value), float(spread.std(ddof=1))))
