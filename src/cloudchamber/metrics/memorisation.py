"""Whether a model repeats jets of its training part.

A jet is the vector of (pt_rel, pt_rel eta_rel, pt_rel phi_rel) of its particles, the hardest first, padded with zeros:
it does not depend on the order of the particles, and little on where soft ones lie. Distances are Euclidean ones.

A jet close to a training jet need not be a copy: where jets are dense, as at small multiplicities, every jet is close
to some other, and how much distances vary depends on the multiplicity too. So nothing here is a threshold on distances
of other jets. The nearest jet is searched among training and held-out jets together. These are alike, so that for a
jet that depends on neither, wherever it lies, each of them is as likely to be the nearest as any other.
"""

import math

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import InputError
from cloudchamber.jets.kinematics import momenta
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import mean_share
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, jet_columns, say_unlike
from cloudchamber.preparation.identical import fingerprints, repeats, told_apart
from cloudchamber.preparation.splits import halved
from cloudchamber.progress import progress

__all__ = [
    "DUPLICATE_TOLERANCE",
    "MOST_HELD_OUT",
    "MOST_INDEPENDENT",
    "MOST_TRAINING",
    "memorisation",
    "repetition",
]

# Far below the distance of different jets, far above the rounding of float32.
DUPLICATE_TOLERANCE = 1e-4
# The search takes as long as the product of what is searched for and among.
MOST_TRAINING, MOST_HELD_OUT, MOST_INDEPENDENT = 400_000, 100_000, 50_000
_BLOCK = 256


def memorisation(train: AnyClouds, test: AnyClouds, generated: AnyClouds) -> dict[str, tuple[Estimate, Estimate]]:
    """Return how much of ``generated`` repeats ``train``: value and floor of each metric.

    "memorisation" is (s - e) / (1 - e), with s the share of jets whose nearest neighbour is a training jet and not a
    held-out one, and e the share of training jets among all of those: zero on average for a model that copies nothing,
    whatever it generates, and the share of copies for one that copies some jets of those that it knows. Of equal
    neighbours, as jets of one particle on their axis are, each counts alike. "duplicates" is the share of jets whose
    nearest neighbour is a training jet that differs by less than ``DUPLICATE_TOLERANCE`` of its length and is equal to
    no held-out one.

    The first half of the test part is held out; the other half, which shares no event with it, takes the place of the
    generated jets in the floor. The training part, which is the floor of other metrics, cannot be that here: its jets
    are the copies looked for.

    The uncertainty of "memorisation" is the standard deviation of s where chance decides which of the neighbours are
    training jets, so that jets with the same neighbour count together; that of "duplicates" is that of a share.

    At most 400,000 training jets, 100,000 held-out ones and 50,000 in place of the generated ones are looked at, the
    first of each: of more, "memorisation" is the share of copies of these alone.

    Args:
        train: all jets that the model was trained on. Copies of jets that are left out are not found.
        test: true jets that it was not trained on.
        generated: the jets to judge.

    Raises:
        InputError: no training or generated jets, or fewer than two in the test part.
    """
    for name, clouds, least in (("training", train, 1), ("test", test, 2), ("generated", generated, 1)):
        if len(clouds) < least:
            raise InputError(f"memorisation needs {least} or more {name} jets, there are {len(clouds)}")
    width = max(clouds.width for clouds in (train, test, generated))
    first, second = halved(test)
    known = test[first[:MOST_HELD_OUT]], train[: min(len(train), MOST_TRAINING)]
    held_out, training = (_vectors(_different(clouds), width) for clouds in known)
    judged, independent = generated[: len(generated)], test[second[:MOST_INDEPENDENT]]
    halves = jet_columns(known[0]), jet_columns(independent)
    say_unlike("memorisation", "the first half of the test part", halves[0], "the second", halves[1], IN_RANDOM_ORDER)
    return repetition(training, held_out, _vectors(judged, width), _vectors(independent, width), "jets")


def repetition(
    training: np.ndarray, held_out: np.ndarray, generated: np.ndarray, independent: np.ndarray, unit: str
) -> dict[str, tuple[Estimate, Estimate]]:
    """Return how much of vectors repeats those of a training part, as :func:`memorisation` does of jets.

    Args:
        training, held_out: (N, D) and (M, D), each vector once.
        generated: (G, D) the vectors to judge.
        independent: (I, D) true ones in their place, for the floor.
        unit: plural name of what the vectors are of, for the progress.
    """
    judged, pooled = np.concatenate([generated, independent]), np.concatenate([held_out, training])
    distances, nearest = _nearest(judged, pooled, unit)
    group, sizes, shares = _equal(pooled, len(held_out))
    close = distances < DUPLICATE_TOLERANCE * np.linalg.norm(pooled[nearest], axis=1)
    copied = (shares[group[nearest]] == 1) & close
    samples = slice(len(generated)), slice(len(generated), None)
    values, floors = ((_excess(group[nearest[rows]], sizes, shares), mean_share(copied[rows])) for rows in samples)
    return dict(zip(("memorisation", "duplicates"), zip(values, floors, strict=True), strict=True))


def _different(clouds: Clouds) -> Clouds:
    """Return each cloud once: a jet that is there twice is no likelier to be the nearest."""
    later, _ = repeats(told_apart(clouds, np.arange(len(clouds))))
    return clouds[np.setdiff1d(np.arange(len(clouds)), later)]


def _vectors(clouds: Clouds, width: int) -> np.ndarray:
    """Return (N, 3 width) float64."""
    pt, eta, phi = momenta(clouds)
    values = np.stack([pt, pt * eta, pt * phi], axis=2)
    order = np.argsort(-pt, axis=1, kind="stable")
    vectors = np.zeros((len(pt), width, 3))
    vectors[:, : pt.shape[1]] = np.take_along_axis(values, order[:, :, None], axis=1)
    return vectors.reshape(len(pt), -1)


def _nearest(vectors: np.ndarray, among: np.ndarray, unit: str) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) distances of each vector to the nearest one of ``among``, and which one that is."""
    # With one more component the squared distance is a single product, up to a constant of each vector.
    points = np.concatenate([-2 * among, (among**2).sum(axis=1, keepdims=True)], axis=1).T
    queries = np.concatenate([vectors, np.ones((len(vectors), 1))], axis=1)
    nearest = np.empty(len(vectors), np.int64)
    with progress(f"nearest {unit}", len(vectors), unit) as report:
        for start in range(0, len(vectors), _BLOCK):
            rows = slice(start, start + _BLOCK)
            nearest[rows] = (queries[rows] @ points).argmin(axis=1)
            report.update(len(nearest[rows]))
    # The product has lost its digits at copies.
    return np.linalg.norm(vectors - among[nearest], axis=1), nearest


def _equal(pooled: np.ndarray, n_held_out: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) which group of equal vectors each is in, how many those have, and the share of training ones."""
    content = fingerprints(np.zeros((len(pooled), 0, 0)), pooled.astype(np.float32), 0)
    _, group, sizes = np.unique(content, return_inverse=True, return_counts=True)
    return group, sizes, np.bincount(group[n_held_out:], minlength=len(sizes)) / sizes


def _excess(nearest: np.ndarray, sizes: np.ndarray, shares: np.ndarray) -> Estimate:
    """Return how much more often than by chance the ``nearest`` groups of neighbours are training ones."""
    n, pool = len(nearest), int(sizes.sum())
    k = float(shares[nearest].sum())
    by_chance = float(shares @ sizes) / pool
    # Chance decides which of the pooled jets are training jets, not which jets share a neighbour. Over permutations of
    # these labels sum_j n_j label_j, where n_j jets have neighbour j, has the variance p (1 - p) pool var(n_j); equal
    # neighbours have an equal part of the jets each. The share is pulled off zero and one.
    p = (k + 1) / (n + 2)
    of_each = np.repeat(np.bincount(nearest, minlength=len(sizes)) / sizes, sizes)
    error = math.sqrt(p * (1 - p) * pool * float(of_each.var(ddof=1))) / n
    return Estimate((k / n - by_chance) / (1 - by_chance), error / (1 - by_chance))
