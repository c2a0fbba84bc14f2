"""The Frechet physics distance: between Gaussians with the moments of two samples, at infinite sample size.

The definition is the one of jetnet (arXiv 2211.10295, section 3), where the features are energy flow polynomials.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import nnls

from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate, drawn_rows
from cloudchamber.metrics.rows import Moments, Rows
from cloudchamber.preparation.unweighting import effective_size

__all__ = ["FEWEST_JETS", "LARGEST_BATCH", "drawn_batches", "frechet_distance", "frechet_physics_distance"]

LARGEST_BATCH = 50_000
_SMALLEST_TO_LARGEST = 0.4
FEWEST_JETS = 10


def frechet_distance(truth: np.ndarray, generated: np.ndarray) -> float:
    """Return |mu - nu|^2 + tr(S + T - 2 (S T)^(1/2)), with mu, nu the means and S, T the covariances of two samples.

    This is the square of the 2-Wasserstein distance of the two Gaussians; the trace of (S T)^(1/2) is taken as that of
    the square root of the symmetric S^(1/2) T S^(1/2), which stays real where features depend on each other.

    Args:
        truth, generated: (N, D) and (M, D), at least two rows each.

    Example:
        >>> truth = np.random.default_rng(1).normal(size=(500, 2))
        >>> round(frechet_distance(truth, truth + [3, 4]), 6)
        25.0
    """
    return _distance(Moments.of(truth), Moments.of(generated))


def _distance(truth: Moments, generated: Moments) -> float:
    covariances = [side.covariance for side in (truth, generated)]
    eigenvalues, vectors = np.linalg.eigh(covariances[0])
    root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0)) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ covariances[1] @ root)
    spread = sum(covariance.trace() for covariance in covariances) - 2 * np.sqrt(np.maximum(mixed, 0.0)).sum()
    return float(((truth.mean - generated.mean) ** 2).sum() + spread)


def frechet_physics_distance(
    truth: np.ndarray | Rows,
    generated: np.ndarray | Rows,
    rng: np.random.Generator,
    truth_weights: np.ndarray | None = None,
    generated_weights: np.ndarray | None = None,
    largest: int = LARGEST_BATCH,
    points: int = 10,
    batches: int = 20,
) -> Estimate:
    """Return the Frechet distance extrapolated to infinite samples, and the error of the extrapolation.

    The bias of the distance of two batches of n jets falls as 1 / n. At ``points`` sizes, evenly spaced in 1 / n, the
    distance is averaged over ``batches`` batches that are drawn with replacement; the value is the intercept of a
    straight line in 1 / n whose intercept and slope are not negative, the uncertainty that of an unweighted fit. The
    sizes reach from 0.4 of the largest to the largest. With 50,000 jets or more on each side that is from 20,000 to
    50,000, the definition of jetnet; with fewer the largest size is the smaller of the two samples, and drawing with
    replacement leaves a bias of 1 / N of the sample sizes, which the floor has too.

    Args:
        truth, generated: (N, D) and (M, D) features, scaled to be comparable.
        rng: generator of the batches.
        truth_weights, generated_weights: (N,) and (M,) not negative, by which jets are drawn; their effective numbers
            are then the sizes of the samples.
        largest: size of the largest batch, if the samples are not smaller.
        points: number of sizes, at least three.
        batches: batches of each size.

    Raises:
        InputError: fewer than 10 jets on a side, too few for batches of different size.
    """
    sides = ((truth, truth_weights), (generated, generated_weights))
    sizes, drawn = drawn_batches([(len(rows), weights) for rows, weights in sides], rng, largest, points, batches)
    moments = [Rows.of(rows).moments(of_side) for (rows, _), of_side in zip(sides, drawn, strict=True)]
    every = np.array([_distance(*pair) for pair in zip(*moments, strict=True)]).reshape(points, batches)
    distances = [np.mean(of_size) for of_size in every]
    terms = np.stack([np.ones(points), 1 / sizes], axis=1)
    parameters, residual = nnls(terms, np.asarray(distances))
    variance = np.linalg.inv(terms.T @ terms)[0, 0] * residual**2 / (points - terms.shape[1])
    return Estimate(float(parameters[0]), float(np.sqrt(variance)))


def drawn_batches(
    sides: Sequence[tuple[int, np.ndarray | None]],
    rng: np.random.Generator,
    largest: int = LARGEST_BATCH,
    points: int = 10,
    batches: int = 20,
) -> tuple[np.ndarray, tuple[list[np.ndarray], list[np.ndarray]]]:
    """Return the (points,) sizes of batches and the rows of each batch of both sides.

    Args:
        sides: number of jets and weights of truth and of the generated ones.
        rng, largest, points, batches: of :func:`frechet_physics_distance`, as are the errors.
    """
    fewest = min(jets if weights is None else int(effective_size(weights)) for jets, weights in sides)
    if fewest < FEWEST_JETS:
        raise InputError(f"the Frechet distance needs {FEWEST_JETS} jets or more of each sample, not {fewest}")
    largest = min(largest, fewest)
    sizes = (1 / np.linspace(1 / (_SMALLEST_TO_LARGEST * largest), 1 / largest, points)).astype(np.int64)
    drawn: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
    for size in np.repeat(sizes, batches):
        for (jets, weights), of_side in zip(sides, drawn, strict=True):
            of_side.append(drawn_rows(jets, int(size), rng, weights).astype(np.int32))
    return sizes, drawn
