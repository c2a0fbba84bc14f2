"""The table of distances between generated and true jets, each with its uncertainty and its floor."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import final

import numpy as np
import pandas as pd

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import InputError
from cloudchamber.jets.features import EFP_NAMES, EXTRA_FEATURES, JET_FEATURES, PARTICLE_FEATURES, W1_EFP_NAMES
from cloudchamber.metrics.divergence import divergence_in_bins
from cloudchamber.metrics.frechet import frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.piecewise import ParticleEntries, rows_of
from cloudchamber.metrics.probable_bins import edges_of_truth
from cloudchamber.metrics.resampling import Estimate, JetEntries, Sample, bootstrap_weights, effective_weights
from cloudchamber.metrics.rows import Rows, over_largest
from cloudchamber.metrics.tables import DISTANCE_COLUMNS
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, say_unlike
from cloudchamber.metrics.wasserstein import mean_distance, resampled_distances
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
    truth: AnyClouds,
    truth_observables: Mapping[str, np.ndarray],
    generated: AnyClouds,
    generated_observables: Mapping[str, np.ndarray],
    floor: AnyClouds,
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
    sides = (
        _Side("truth", truth, truth_observables, len(truth)),
        _Side("generated", generated, generated_observables, len(generated)),
        _Side("floor", floor, floor_observables, size_of_floor),
    )
    if sides[0].weights is None:
        of_truth, of_floor = ({name: side.values(name) for name in JET_FEATURES} for side in (sides[0], sides[2]))
        say_unlike("compare", "true jets", of_truth, "those of the floor", of_floor, IN_RANDOM_ORDER)
    signed = any(side.has_negative_weights for side in (sides[0], sides[2]))
    draws = {} if signed else _PHYSICS_DISTANCES
    first, second = (_resamplings(side, settings.bootstraps, rng) for side in sides[:2])
    # Without weights both have as many jets.
    third = second if sides[2].weights is None else _resamplings(sides[2], settings.bootstraps, rng)
    drawn = (first, second, third)
    tables: tuple[dict[tuple[str, str], Estimate], ...] = ({}, {})
    with progress("comparison", 2 * (_N_DISTANCES + len(draws)), "distances") as report:
        of_features = _of_features(sides, settings.bins, drawn)
        for table, row, distance in chain(of_features, _of_polynomials(sides, draws, rng)):
            tables[table][row] = distance
            report.update()
    values, lowest = tables
    sizes = (round(sides[0].size), len(generated))
    rows = [(*row, *values[row], *lowest[row], *sizes) for row in _rows(draws)]
    return pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS))


def _rows(draws: Iterable[str]) -> list[tuple[str, str]]:
    """Return metric and feature of all rows, in their order."""
    of_features = [(metric, feature) for metric in ("kl", "w1") for feature in _FEATURES]
    return of_features + [(metric, "") for metric in (*_MEAN_DISTANCES, *draws)]


@final
class _Side:
    """The first ``n_jets`` of some jets with their observables."""

    def __init__(self, name: str, jets: AnyClouds, observables: Mapping[str, np.ndarray], n_jets: int) -> None:
        self.name, self.jets, self.observables, self.n_jets = name, jets, observables, n_jets
        for feature in (*JET_FEATURES, *EXTRA_FEATURES):
            if feature not in observables:
                raise InputError(f"no observable '{feature}' of {name} among {sorted(observables)}")
        weights = jets.event_weight
        self.weights = effective_weights(None if weights is None else weights[:n_jets])
        self._counts = ParticleEntries.counted(name, jets, n_jets)

    @property
    def has_negative_weights(self) -> bool:
        return self.weights is not None and bool((self.weights < 0).any())

    @property
    def size(self) -> float:
        return self.n_jets if self.weights is None else float(self.weights.sum())

    def sample(self, feature: str) -> JetEntries:
        """Return the values of a feature of jets or particles."""
        if feature in PARTICLE_FEATURES:
            return ParticleEntries(feature, self.jets, self.weights, self._counts)
        return Sample(self.values(feature), np.arange(self.n_jets), self.n_jets, self.weights)

    def values(self, feature: str) -> np.ndarray:
        """Return the (n_jets,) values of a feature of jets."""
        values = np.asarray(self.observables[feature], np.float64)
        if len(values) != len(self.jets):
            raise InputError(f"{len(values)} values of '{feature}' for the {len(self.jets)} jets of {self.name}")
        # Sorted into bins, what is not finite would lie at the end of the last one.
        bad = np.count_nonzero(~np.isfinite(values))
        if bad:
            raise InputError(f"'{feature}' of {bad} of the {len(self.jets)} jets of {self.name} is not finite")
        return values[: self.n_jets]

    def polynomials(self) -> Rows:
        """Return (n_jets, 36) energy flow polynomials."""
        return rows_of(self.observables, EFP_NAMES, self.n_jets)


def _as_many(floor: AnyClouds, jets: int) -> int:
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


def _resamplings(side: _Side, bootstraps: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each jet is in each resampling: of jets, or of events where these have weights."""
    events = None
    if side.weights is not None:
        labels = event_labels(side.jets)[: side.n_jets]
        events = np.unique(labels, axis=0, return_inverse=True)[1].ravel()
    return bootstrap_weights(side.n_jets, bootstraps, rng, events)


_Row = tuple[int, tuple[str, str], Estimate]


def _of_features(sides: Sequence[_Side], bins: int, drawn: Sequence[np.ndarray]) -> Iterator[_Row]:
    """Yield distances of features with their table, 0 for the generated jets and 1 for the floor, and their row."""
    resampled: dict[tuple[int, str], tuple[float, np.ndarray]] = {}
    in_means = [feature for features in _MEAN_DISTANCES.values() for feature in features]
    for feature in dict.fromkeys([*_FEATURES, *in_means]):
        samples = [side.sample(feature) for side in sides]
        with OrderedEntries(samples) as ordered:
            edges = edges_of_truth(ordered, samples[0], bins) if feature in _FEATURES else None
            for table in (0, 1):
                of_pair = (ordered, (samples[0], samples[table + 1]), (0, table + 1))
                if edges is not None:
                    yield table, ("kl", feature), divergence_in_bins(*of_pair, edges, drawn[0], drawn[table + 1])
                found = resampled_distances(*of_pair, drawn[0], drawn[table + 1])
                if feature in in_means:
                    resampled[table, feature] = found
                if feature in _FEATURES:
                    yield table, ("w1", feature), Estimate(found[0], float(np.std(found[1], ddof=1)))
    for metric, features in _MEAN_DISTANCES.items():
        for table in (0, 1):
            yield table, (metric, ""), mean_distance([resampled[table, feature] for feature in features])


def _of_polynomials(
    sides: Sequence[_Side], draws: Mapping[str, Callable[..., Estimate]], rng: np.random.Generator
) -> Iterator[_Row]:
    """Yield distances of all energy flow polynomials, each over its largest value in truth."""
    if not draws:
        return
    polynomials = [side.polynomials() for side in sides]
    for side, rows in zip(sides, polynomials, strict=True):
        bad = rows.not_finite()
        if bad.any():
            name, number = EFP_NAMES[int(bad.argmax())], int(bad.max())
            raise InputError(f"'{name}' of {number} of the {side.n_jets} jets of {side.name} is not finite")
    truth, *others = over_largest(polynomials)
    for table, other in enumerate(others):
        # Both draw alike, so that value and floor do not differ by their draws.
        of_table = deepcopy(rng)
        for metric, distance in draws.items():
            weights = (sides[0].weights, sides[table + 1].weights)
            yield table, (metric, ""), distance(truth, other, of_table, *weights)
