"""The table of distances between generated and true jets, each with its uncertainty and its floor."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.evaluation.divergence import kl_divergence
from cloudchamber.evaluation.kinematics import has_momentum
from cloudchamber.evaluation.observables import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.evaluation.resampling import Sample, bootstrap_weights
from cloudchamber.evaluation.wasserstein import wasserstein_distance
from cloudchamber.progress import progress
from cloudchamber.settings import MetricSettings

__all__ = ["COLUMNS", "compare"]

COLUMNS = (
    "metric",
    "feature",
    "value",
    "uncertainty",
    "floor",
    "floor_uncertainty",
    "n_reference",
    "n_generated",
)


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
    """Compare generated with true jets in every feature of jets and particles.

    Args:
        truth, truth_observables: the reference, with the table of :func:`cloudchamber.evaluation.observables.observe`.
        generated, generated_observables: the jets to judge.
        floor, floor_observables: true jets that are independent of the reference, at least as many as generated ones.
            The first ``len(generated)`` of them take the place of the generated jets in the column ``floor``: what a
            perfect model would get with samples of these sizes.
        settings: bins and number of resamplings.
        rng: generator of the resamplings.

    Returns:
        One row per metric and feature, with the columns ``metric`` ("kl": KL(generated || truth) in nats, "w1": the
        1-Wasserstein distance in the unit of the feature), ``feature``, ``value``, ``uncertainty``, ``floor``,
        ``floor_uncertainty``, ``n_reference`` and ``n_generated`` (jets).

    Raises:
        InputError: too few jets for the floor; observables that do not belong to the clouds; no particle at all.
    """
    if len(floor) < len(generated):
        raise InputError(
            f"the floor needs at least as many independent true jets as there are generated ones:"
            f" {len(floor)} true jets, {len(generated)} generated"
        )
    samples = [
        _samples("truth", truth, truth_observables, len(truth)),
        _samples("generated", generated, generated_observables, len(generated)),
        _samples("floor", floor, floor_observables, len(generated)),
    ]
    truth_weights = bootstrap_weights(len(truth), settings.bootstraps, rng)
    weights = bootstrap_weights(len(generated), settings.bootstraps, rng)
    rows = []
    with progress("comparison", len(JET_FEATURES) + len(PARTICLE_FEATURES), "features") as report:
        for (feature, reference), (_, candidate), (_, other) in zip(*samples, strict=True):
            distances = {
                "kl": [
                    kl_divergence(reference, sample, settings.bins, truth_weights, weights)
                    for sample in (candidate, other)
                ],
                "w1": [
                    wasserstein_distance(reference, sample, truth_weights, weights) for sample in (candidate, other)
                ],
            }
            for metric, (distance, lowest) in distances.items():
                rows.append((metric, feature, *distance, *lowest, len(truth), len(generated)))
            report.update()
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values("metric", kind="stable", ignore_index=True)


def _samples(
    name: str, clouds: Clouds, observables: Mapping[str, np.ndarray], n_jets: int
) -> Iterator[tuple[str, Sample]]:
    """Yield each feature with its values in the first ``n_jets`` jets."""
    mask = has_momentum(clouds)[:n_jets]
    if not mask.any():
        raise InputError(f"no particle with a momentum in the {n_jets} jets of {name}")
    for feature in JET_FEATURES:
        if feature not in observables:
            raise InputError(f"no observable '{feature}' of {name} among {sorted(observables)}")
        if len(observables[feature]) != len(clouds):
            raise InputError(f"{len(observables[feature])} values of '{feature}' for the {len(clouds)} jets of {name}")
        yield feature, Sample.of_jets(observables[feature][:n_jets])
    for feature in PARTICLE_FEATURES:
        yield feature, Sample.of_particles(clouds.point(feature)[:n_jets], mask)
