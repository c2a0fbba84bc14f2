"""The table of distances between generated and true jets, each with its uncertainty and its floor."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy

import numpy as np
import pandas as pd

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.features import EFP_NAMES, EXTRA_FEATURES, JET_FEATURES, PARTICLE_FEATURES, W1_EFP_NAMES
from cloudchamber.jets.kinematics import has_momentum
from cloudchamber.metrics.divergence import kl_divergence
from cloudchamber.metrics.frechet import frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.resampling import Estimate, Sample, bootstrap_weights
from cloudchamber.metrics.tables import DISTANCE_COLUMNS
from cloudchamber.metrics.wasserstein import wasserstein_distance
from cloudchamber.preparation.splits import event_labels
from cloudchamber.progress import progress
from cloudchamber.settings.metrics import MetricSettings

__all__ = ["compare"]

_FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
_MEAN_DISTANCES: Mapping[str, tuple[str, ...]] = {
    "w1m": ("jet_mass_rel",),
    "w1p": PARTICLE_FEATURES,
    "w1efp": W1_EFP_NAMES,
}
_PHYSICS_DISTANCES: Mapping[str, Callable[..., Estimate]] = {
    "fpd": frechet_physics_distance,
    "kpd": kernel_physics_distance,
}
_N_DISTANCES = 2 * len(_FEATURES) + len(_MEAN_DISTANCES)


def compare(
    truth: Clouds,
    truth_observables: Mapping[str, np.ndarray],
    generated: Clouds,
    generated_observables: Mapping[str, np.ndarray],
    floor: Clouds,
    floor_observables: Mapping[str, np.ndarray],
    settings: MetricSettings,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Compare generated with true jets in every feature of jets and particles, and as whole jets.

    Args:
        truth, truth_observables: the reference, with the table of :func:`cloudchamber.jets.observables.observe`.
        generated, generated_observables: the jets to judge.
        floor, floor_observables: true jets that are independent of the reference, at least as many as generated ones.
            The first ``len(generated)`` of them take the place of the generated jets in the column ``floor``: what a
            perfect model would get with samples of these sizes. Of jets with event weights these are the first whose
            effective number is as large.
        settings: bins and number of resamplings.
        rng: generator of the resamplings.

    Returns:
        One row per metric and feature, with the columns ``metric``, ``feature``, ``value``, ``uncertainty``, ``floor``,
        ``floor_uncertainty``, ``n_reference`` and ``n_generated`` (jets; of jets with event weights the effective
        number). Metrics of a feature are "kl": KL(generated
        || truth) in nats, and "w1": the 1-Wasserstein distance in the unit of the feature. Metrics of whole jets, whose
        feature is "", are those of jetnet (arXiv 2106.11535, 2211.10295), in its units: "w1m", "w1p" and "w1efp", the
        1-Wasserstein distance of the jet mass over pT, its mean over the features of particles and over five energy
        flow polynomials; "fpd" and "kpd", the Frechet and kernel distances of all 36 polynomials. These two draw jets
        by their event weights, and are left out where some are negative.

    Raises:
        InputError: too few jets for the floor or for a metric; observables that do not belong to the clouds or are not
            finite; no particle at all.
    """
    size_of_floor = _as_many(floor, len(generated))
    reference = _samples("truth", truth, truth_observables, len(truth))
    candidates = (
        _samples("generated", generated, generated_observables, len(generated)),
        _samples("floor", floor, floor_observables, size_of_floor),
    )
    signed = any(sample["jet_mass"].has_negative_weights for sample in (reference, candidates[1]))
    draws = {} if signed else _PHYSICS_DISTANCES
    of_truth, of_generated = (_resamplings(side, settings.bootstraps, rng) for side in (truth, generated))
    # Without weights both have as many jets.
    of_floor = of_generated
    if floor.event_weight is not None:
        of_floor = _resamplings(floor[:size_of_floor], settings.bootstraps, rng)
    tables: list[dict[tuple[str, str], Estimate]] = [{}, {}]
    with progress("comparison", 2 * (_N_DISTANCES + len(draws)), "distances") as report:
        for candidate, table, resamplings in zip(candidates, tables, (of_generated, of_floor), strict=True):
            weights = (of_truth, resamplings)
            # Both draw alike, so that value and floor do not differ by their draws.
            for row, distance in _distances(reference, candidate, settings.bins, weights, draws, deepcopy(rng)):
                table[row] = distance
                report.update()
    values, lowest = tables
    sizes = (round(reference["jet_mass"].size), len(generated))
    rows = [(*row, *values[row], *lowest[row], *sizes) for row in values]
    return pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS))


def _as_many(floor: Clouds, jets: int) -> int:
    """Return how many of the first jets of the floor are as many as ``jets`` equal ones."""
    weights = floor.event_weight
    if weights is None:
        worth = np.arange(1, len(floor) + 1, dtype=np.float64)
    else:
        squares = np.cumsum(weights**2)
        worth = np.cumsum(weights) ** 2 / np.where(squares > 0, squares, 1.0)
    enough = np.flatnonzero(worth >= jets * (1 - 1e-9))
    if not len(enough):
        effective = "" if weights is None else f" that count like {worth.max(initial=0.0):.0f} equal ones"
        raise InputError(
            f"the floor needs at least as many independent true jets as there are generated ones:"
            f" {len(floor)} true jets{effective}, {jets} generated"
        )
    return int(enough[0]) + 1


def _resamplings(clouds: Clouds, bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each jet is in each resampling: of jets, or of events where these have weights."""
    events = None
    if clouds.event_weight is not None:
        events = np.unique(event_labels(clouds), axis=0, return_inverse=True)[1].ravel()
    return bootstrap_weights(len(clouds), bootstraps, rng, events)


def _distances(
    truth: Mapping[str, Sample],
    generated: Mapping[str, Sample],
    bins: int,
    weights: tuple[np.ndarray, np.ndarray],
    draws: Mapping[str, Callable[..., Estimate]],
    rng: np.random.Generator,
) -> Iterator[tuple[tuple[str, str], Estimate]]:
    """Yield metric and feature with their distance."""
    truth_weights, generated_weights = weights
    for feature in _FEATURES:
        yield ("kl", feature), kl_divergence(truth[feature], generated[feature], bins, truth_weights, generated_weights)
    for feature in _FEATURES:
        yield (
            ("w1", feature),
            wasserstein_distance(truth[feature], generated[feature], truth_weights, generated_weights),
        )
    for metric, features in _MEAN_DISTANCES.items():
        samples = _side_by_side(truth, generated, features)
        yield (metric, ""), wasserstein_distance(*samples, truth_weights, generated_weights)
    polynomials = _scaled_polynomials(truth, generated)
    of_jets = (truth[EFP_NAMES[0]].weights, generated[EFP_NAMES[0]].weights)
    for metric, distance in draws.items():
        yield (metric, ""), distance(*polynomials, rng, *of_jets)


def _samples(name: str, clouds: Clouds, observables: Mapping[str, np.ndarray], n_jets: int) -> dict[str, Sample]:
    """Return feature -> its values in the first ``n_jets`` jets."""
    mask = has_momentum(clouds)[:n_jets]
    if not mask.any():
        raise InputError(f"no particle with a momentum in the {n_jets} jets of {name}")
    weights = None if clouds.event_weight is None else clouds.event_weight[:n_jets]
    samples = {}
    for feature in (*JET_FEATURES, *EXTRA_FEATURES):
        if feature not in observables:
            raise InputError(f"no observable '{feature}' of {name} among {sorted(observables)}")
        if len(observables[feature]) != len(clouds):
            raise InputError(f"{len(observables[feature])} values of '{feature}' for the {len(clouds)} jets of {name}")
        # Sorted into bins, what is not finite would lie at the end of the last one.
        bad = np.count_nonzero(~np.isfinite(observables[feature]))
        if bad:
            raise InputError(f"'{feature}' of {bad} of the {len(clouds)} jets of {name} is not finite")
        samples[feature] = Sample.of_jets(observables[feature][:n_jets], weights)
    for feature in PARTICLE_FEATURES:
        samples[feature] = Sample.of_particles(clouds.point(feature)[:n_jets], mask, weights)
    return samples


def _side_by_side(
    truth: Mapping[str, Sample], generated: Mapping[str, Sample], features: Sequence[str]
) -> tuple[Sample, Sample]:
    """Return the values of several features as one feature, each moved to a range of its own.

    The distance of the two results is the mean of the distances of the features, also in each resampling: a jet has
    as many values of each feature, so between two ranges the cumulative distributions agree.
    """
    pairs = [(truth[feature], generated[feature]) for feature in features]
    starts = np.cumsum([0.0, *(np.ptp(np.concatenate([x.values, y.values])) for x, y in pairs)])
    lowest = [min(x.values.min(), y.values.min()) for x, y in pairs]
    shifts = starts[:-1] - lowest
    truths, others = (
        Sample(
            np.concatenate([sample.values + shift for sample, shift in zip(samples, shifts, strict=True)]),
            np.concatenate([sample.jets for sample in samples]),
            samples[0].n_jets,
            samples[0].weights,
        )
        for samples in zip(*pairs, strict=True)
    )
    return truths, others


def _scaled_polynomials(truth: Mapping[str, Sample], generated: Mapping[str, Sample]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, 36) and (M, 36), each polynomial over its largest value in truth."""
    x, y = (np.stack([samples[name].values for name in EFP_NAMES], axis=1) for samples in (truth, generated))
    scale = x.max(axis=0)
    # Polynomials of cycles are zero where no jet has enough particles.
    scale[scale == 0] = 1.0
    return x / scale, y / scale
