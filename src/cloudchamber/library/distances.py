"""Distances of distributions: one feature, energy flow polynomials. Each has the numbers of ``cloudchamber compare``.

With the same arrays and seed the value, the uncertainty and the floor are those of the table that the command writes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.jets.features import EFP_NAMES, W1_EFP_NAMES
from cloudchamber.jets.kinematics import has_momentum, jet_kinematics, momenta
from cloudchamber.library.checks import whole_number
from cloudchamber.library.jets import energy_flow_polynomials
from cloudchamber.library.measurement import Measurement
from cloudchamber.library.sides import SIDES, features_of, jets_of, samples_of
from cloudchamber.metrics.divergence import kl_divergence
from cloudchamber.metrics.frechet import FEWEST_JETS, drawn_batches, frechet_physics_distance
from cloudchamber.metrics.kernel_distance import kernel_physics_distance
from cloudchamber.metrics.ordered import OrderedEntries
from cloudchamber.metrics.resampling import Estimate, Sample, bootstrap_weights
from cloudchamber.metrics.rows import Rows, over_largest
from cloudchamber.metrics.wasserstein import mean_distance, resampled_distances, wasserstein_distance
from cloudchamber.settings.metrics import MetricSettings

__all__ = ["fpd", "kl", "kpd", "measured", "w1", "w1efp", "w1m", "w1p"]

_DEFAULTS = MetricSettings()
_W1_EFPS = [EFP_NAMES.index(name) for name in W1_EFP_NAMES]


def measured(distance: Callable[[Any, Any], Estimate], samples: Sequence[Any], sizes: Sequence[int]) -> Measurement:
    """Return a distance of generated clouds, and its floor where a third sample is there.

    Args:
        distance: of the truth and another sample.
        samples: truth, generated and maybe floor, of which there are as many as generated ones.
        sizes: clouds of truth and generated ones.
    """
    value = distance(samples[0], samples[1])
    floor = distance(samples[0], samples[2]) if len(samples) > 2 else Estimate(np.nan, np.nan)
    return Measurement(*value, *floor, sizes[0], sizes[1])


def kl(
    truth: Any,
    generated: Any,
    floor: Any = None,
    *,
    bins: int = _DEFAULTS.bins,
    bootstraps: int = _DEFAULTS.bootstraps,
    seed: int = 1,
) -> Measurement:
    """Return KL(generated || truth) of one feature in nats, in bins that are equally probable in truth.

    The value contains the bias of finite samples, about (bins - 1) / 2 (1 / n + 1 / m): read it beside its floor.

    Args:
        truth: (N,) a number of each jet; or (N, P) numbers of its particles, a masked array where slots are empty.
        generated: (M,) or (M, P).
        floor: independent truth, M jets or more, whose first M give the floor.
        bins: number of bins.
        bootstraps: resamplings of jets behind the uncertainty.
        seed: of the resamplings.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, or the floor has too few jets.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> truth, generated, more = rng.normal(size=(3, 4000)) + np.array([[0.0], [0.5], [0.0]])
        >>> found = kl(truth, generated, more, bins=20)
        >>> found.value > 10 * found.floor > 0
        True
    """
    number = whole_number(bins, "bins", 1)
    samples = samples_of(truth, generated, floor)
    drawn, _ = _resamplings(samples, bootstraps, seed)
    return _measured_samples(lambda one, other: kl_divergence(one, other, number, *drawn), samples)


def w1(
    truth: Any, generated: Any, floor: Any = None, *, bootstraps: int = _DEFAULTS.bootstraps, seed: int = 1
) -> Measurement:
    """Return the 1-Wasserstein distance of one feature, in its unit.

    Args:
        truth, generated, floor, bootstraps, seed: as of :func:`kl`, as are the errors.

    Example:
        >>> w1([1.0, 2.0, 3.0], [2.0, 3.0, 4.0]).value
        1.0
    """
    samples = samples_of(truth, generated, floor)
    drawn, _ = _resamplings(samples, bootstraps, seed)
    return _measured_samples(lambda one, other: wasserstein_distance(one, other, *drawn), samples)


def w1m(
    truth: Any, generated: Any, floor: Any = None, *, bootstraps: int = _DEFAULTS.bootstraps, seed: int = 1
) -> Measurement:
    """Return the 1-Wasserstein distance of the jet mass, in units of the jet pT (arXiv 2106.11535).

    Args:
        truth, generated, floor: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets.
            There are M generated jets, and M or more for the floor.
        bootstraps: resamplings of jets behind the uncertainty.
        seed: of the resamplings.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, or the floor has too few jets.
    """
    masses = [jet_kinematics(*momenta(jets))[1][:, None] for jets in jets_of(truth, generated, floor)]
    return _mean_of_features(masses, bootstraps, seed)


def w1p(
    truth: Any, generated: Any, floor: Any = None, *, bootstraps: int = _DEFAULTS.bootstraps, seed: int = 1
) -> Measurement:
    """Return the mean over pt_rel, eta_rel and phi_rel of the 1-Wasserstein distance of particles (arXiv 2106.11535).

    Args:
        truth, generated, floor, bootstraps, seed: as of :func:`w1m`, as are the errors.
    """
    sides = jets_of(truth, generated, floor)
    of_features = []
    for name in ("pt_rel", "eta_rel", "phi_rel"):
        samples = []
        for side, jets in zip(SIDES, sides, strict=False):
            kept = has_momentum(jets)
            if not kept.any():
                raise InputError(f"{side}: no particle with a momentum in {len(jets)} jets")
            samples.append(Sample.of_particles(jets.point(name), kept))
        of_features.append(samples)
    return _mean_of_samples(of_features, bootstraps, seed)


def w1efp(
    truth: Any, generated: Any, floor: Any = None, *, bootstraps: int = _DEFAULTS.bootstraps, seed: int = 1
) -> Measurement:
    """Return the mean 1-Wasserstein distance of the five energy flow polynomials of jetnet (arXiv 2106.11535).

    Args:
        truth, generated, floor, bootstraps, seed: as of :func:`w1m`, as are the errors.
    """
    polynomials = [energy_flow_polynomials(jets)[:, _W1_EFPS] for jets in jets_of(truth, generated, floor)]
    return _mean_of_features(polynomials, bootstraps, seed)


def fpd(truth: Any, generated: Any, floor: Any = None, *, seed: int = 1) -> Measurement:
    """Return the Frechet physics distance, extrapolated to infinite samples (arXiv 2211.10295).

    Args:
        truth, generated, floor: (N, P, 3) jets as of :func:`w1m`, of which the 36 energy flow polynomials are compared;
            or (N, D) features of any kind. Each feature is divided by its largest absolute value in truth.
        seed: of the batches.

    Raises:
        InputError: see :func:`w1m`; or there are fewer than ten jets of a sample.
    """
    return _physics_distance(frechet_physics_distance, truth, generated, floor, seed)


def kpd(truth: Any, generated: Any, floor: Any = None, *, seed: int = 1) -> Measurement:
    """Return the kernel physics distance: the squared maximum mean discrepancy of a quartic kernel (arXiv 2211.10295).

    Args:
        truth, generated, floor, seed: as of :func:`fpd`, as are the errors.
    """

    def behind_fpd(one: Rows, other: Rows, rng: np.random.Generator) -> Estimate:
        # The table of the command draws its batches behind those of the Frechet distance.
        drawn_batches([(len(one), None), (len(other), None)], rng)
        return kernel_physics_distance(one, other, rng)

    return _physics_distance(behind_fpd, truth, generated, floor, seed)


def _physics_distance(
    distance: Callable[[Rows, Rows, np.random.Generator], Estimate],
    truth: Any,
    generated: Any,
    floor: Any,
    seed: int,
) -> Measurement:
    sides = features_of(truth, generated, floor)
    for values, name in zip(sides, SIDES, strict=False):
        if len(values) < FEWEST_JETS:
            raise InputError(f"{name}: {len(values)} jets, the distance needs {FEWEST_JETS} at least")
    widths = {values.shape[1] for values in sides}
    if len(widths) > 1:
        raise InputError(f"truth, generated and floor have different numbers of features: {sorted(widths)}")
    scaled = over_largest([Rows.of(values) for values in sides])
    sizes = len(sides[0]), len(sides[1])
    _, rng = _drawn(sizes, _DEFAULTS.bootstraps, seed)
    state = rng.bit_generator.state

    def drawn_alike(one: Rows, other: Rows) -> Estimate:
        rng.bit_generator.state = state
        return distance(one, other, rng)

    return measured(drawn_alike, scaled, sizes)


def _drawn(sizes: tuple[int, int], bootstraps: int, seed: int) -> tuple[list[np.ndarray], np.random.Generator]:
    """Return how often each jet of truth and of the generated ones is in each resampling, and the generator behind."""
    number = whole_number(bootstraps, "bootstraps", 2)
    rng = seeds.generator(seed, "bootstrap")
    return [bootstrap_weights(size, number, rng) for size in sizes], rng


def _resamplings(samples: Sequence[Sample], bootstraps: int, seed: int) -> tuple[list[np.ndarray], np.random.Generator]:
    return _drawn((samples[0].n_jets, samples[1].n_jets), bootstraps, seed)


def _measured_samples(distance: Callable[[Sample, Sample], Estimate], samples: Sequence[Sample]) -> Measurement:
    return measured(distance, samples, (samples[0].n_jets, samples[1].n_jets))


def _mean_of_features(sides: Sequence[np.ndarray], bootstraps: int, seed: int) -> Measurement:
    """Return the mean distance over the columns of (N, D) features."""
    for values, name in zip(sides, SIDES, strict=False):
        if not np.isfinite(values).all():
            raise InputError(f"{name}: a mass or polynomial is not finite: particles far outside of any jet")
    columns = range(sides[0].shape[1])
    return _mean_of_samples([[Sample.of_jets(values[:, c]) for values in sides] for c in columns], bootstraps, seed)


def _mean_of_samples(of_features: Sequence[Sequence[Sample]], bootstraps: int, seed: int) -> Measurement:
    first = of_features[0]
    drawn, _ = _resamplings(first, bootstraps, seed)

    def distance(truth: int, other: int) -> Estimate:
        found = []
        for samples in of_features:
            pair = (samples[truth], samples[other])
            with OrderedEntries(pair) as ordered:
                found.append(resampled_distances(ordered, pair, (0, 1), *drawn))
        return mean_distance(found)

    return measured(distance, range(len(first)), (first[0].n_jets, first[1].n_jets))
