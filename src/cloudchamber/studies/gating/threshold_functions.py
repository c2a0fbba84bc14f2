"""All Boolean functions that a polynomial threshold gate of few inputs computes, each decided by exact integers.

A Boolean function of n inputs is the integer of its truth table: bit i is the value on input i. Input i has the
coordinate j = +1 where bit j of i is set and -1 elsewhere. A gate of degree d is true where a polynomial of degree d of
the coordinates is positive and false where it is negative; it is never zero. Degree 1 is the linear threshold gate.

A linear programme proposes the answer. It is accepted only with a certificate in whole numbers: weights that separate,
or a combination of inputs that no weights can separate (Gordan's theorem of the alternative).
"""

from fractions import Fraction
from itertools import combinations, permutations
from math import lcm

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog

__all__ = [
    "coordinates",
    "extended_linear",
    "linear_threshold_functions",
    "monomials",
    "separating_weights",
    "symmetries",
    "threshold_functions",
    "truth_tables",
    "truth_values",
]

# Weights of the linear programme are at most one in size and margins are far above this.
_SCALE = 2**20
_LARGEST_DENOMINATOR = 10_000


def coordinates(inputs: int) -> NDArray[np.int64]:
    """Return the (2^n, n) coordinates, -1 or +1, of all inputs."""
    return 2 * _bits(inputs) - 1


def _bits(inputs: int) -> NDArray[np.int64]:
    return (np.arange(2**inputs)[:, None] >> np.arange(inputs)) & 1


def monomials(inputs: int, degree: int) -> NDArray[np.int64]:
    """Return the (2^n, P) products of up to ``degree`` different coordinates; the first column is the constant.

    Powers are left out, since the square of a coordinate is one: P = 1 + n for degree 1, 1 + n + n (n - 1) / 2 for
    degree 2.
    """
    points = coordinates(inputs)
    chosen = [subset for size in range(degree + 1) for subset in combinations(range(inputs), size)]
    return np.stack([points[:, list(subset)].prod(axis=1) for subset in chosen], axis=1)


def truth_values(tables: ArrayLike, inputs: int) -> NDArray[np.bool_]:
    """Return the (..., 2^n) values of the functions with the (...) truth tables ``tables``."""
    return (np.asarray(tables, dtype=np.uint64)[..., None] >> np.arange(2**inputs, dtype=np.uint64)) & 1 == 1


def truth_tables(values: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Return the (...) truth tables of the functions with the (..., 2^n) values ``values``, n at most 5."""
    powers = np.uint64(1) << np.arange(values.shape[-1], dtype=np.uint64)
    return (values.astype(np.uint64) @ powers).astype(np.uint32)


def symmetries(inputs: int) -> NDArray[np.int64]:
    """Return the (n! 2^n, 2^n) numbers of the inputs that each permutation and negation of coordinates maps to."""
    bits, powers = _bits(inputs), 2 ** np.arange(inputs)
    moved = [bits[:, list(order)] @ powers for order in permutations(range(inputs))]
    return np.concatenate([np.stack(moved) ^ mask for mask in range(2**inputs)])


def separating_weights(values: NDArray[np.bool_], features: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return whole weights w with features @ w >= 1 where ``values`` holds and <= -1 elsewhere, or None.

    None is as certain as weights are: whole numbers y >= 0, not all zero, were found with y @ (signs * features) = 0,
    so that no weights give every input its sign.

    Args:
        values: (N,) the function.
        features: (N, P) what the weights multiply: small whole numbers, or no certificate will be found.

    Raises:
        ArithmeticError: neither certificate could be rounded to whole numbers that fulfil it exactly.
    """
    signed = np.where(values, 1, -1)[:, None] * features
    number, width = signed.shape
    # The largest margin t of weights in a box; it is zero where nothing separates.
    solution = linprog(
        np.append(np.zeros(width), -1.0),
        A_ub=np.hstack([-signed, np.ones((number, 1))]),
        b_ub=np.zeros(number),
        bounds=[*[(-1.0, 1.0)] * width, (None, None)],
        method="highs-ds",
    )
    weights = np.rint(_SCALE * solution.x[:-1]).astype(np.int64)
    if (signed @ weights >= 1).all():
        return weights
    multipliers = _whole(-solution.ineqlin.marginals)
    if multipliers.any() and (multipliers >= 0).all() and not (multipliers @ signed.astype(object)).any():
        return None
    raise ArithmeticError(f"no exact certificate for a function of {number} inputs and {width} features")


def _whole(values: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return whole numbers, of any size, in the ratios of ``values``."""
    fractions = [Fraction(float(value)).limit_denominator(_LARGEST_DENOMINATOR) for value in values]
    common = lcm(*(fraction.denominator for fraction in fractions))
    return np.array([int(fraction * common) for fraction in fractions], dtype=object)


def threshold_functions(inputs: int, degree: int = 1) -> NDArray[np.uint32]:
    """Return all functions of at most four inputs that are signs of a polynomial, as rising truth tables.

    Permutations and negations of the inputs and negation of the output map such functions to such functions: one of
    each class is decided, 222 of the 65 536 functions of four inputs.

    Args:
        inputs: n.
        degree: of the polynomial.

    Raises:
        ValueError: more than four inputs, of which there are too many functions to go through.
    """
    if not 1 <= inputs <= 4:
        raise ValueError(f"all functions of {inputs} inputs cannot be gone through: 1 to 4 inputs can")
    features, images = monomials(inputs, degree), symmetries(inputs)
    decided, realised = np.zeros((2, 2**2**inputs), dtype=bool)
    for table in range(len(decided)):
        if not decided[table]:
            values = truth_values(table, inputs)
            orbit = _orbit(values, images)
            decided[orbit] = True
            realised[orbit] = separating_weights(values, features) is not None
    return np.flatnonzero(realised).astype(np.uint32)


def _orbit(values: NDArray[np.bool_], images: NDArray[np.int64]) -> NDArray[np.uint32]:
    moved = values[images]
    return np.unique(truth_tables(np.concatenate([moved, ~moved])))


def extended_linear(smaller: NDArray[np.uint32], inputs: int) -> NDArray[np.uint32]:
    """Return all linear threshold functions of n inputs, made from all those of one input less.

    On the two values of its last input such a function is two of one input less. Their weights agree and their
    thresholds do not, so that one implies the other. Of each class under the symmetries some function has degree-one
    Fourier coefficients (Chow parameters) that fall and are not negative; only such pairs are decided.

    Args:
        smaller: all linear threshold functions of n - 1 inputs.
        inputs: n, at most 5.
    """
    pairs = np.argwhere((smaller[:, None] & ~smaller[None, :]) == 0)
    candidates = smaller[pairs[:, 0]] | (smaller[pairs[:, 1]] << np.uint32(2 ** (inputs - 1)))
    features, images = monomials(inputs, 1), symmetries(inputs)
    found: set[int] = set()
    for table in candidates[_falling(candidates, inputs)]:
        values = truth_values(table, inputs)
        if int(table) not in found and separating_weights(values, features) is not None:
            found.update(_orbit(values, images).tolist())
    return np.array(sorted(found), dtype=np.uint32)


def _falling(tables: NDArray[np.uint32], inputs: int) -> NDArray[np.bool_]:
    signs = 2 * truth_values(tables, inputs).astype(np.int64) - 1
    chow = signs @ coordinates(inputs)
    return (np.diff(chow, axis=1) <= 0).all(axis=1) & (chow[:, -1] >= 0)


def linear_threshold_functions(inputs: int) -> NDArray[np.uint32]:
    """Return all linear threshold functions of at most five inputs, as rising truth tables.

    Raises:
        ValueError: more than five inputs.

    Example:
        >>> others = set(range(16)) - set(linear_threshold_functions(2).tolist())
        >>> [f"{table:04b}" for table in sorted(others)]  # exclusive or, and its negation
        ['0110', '1001']
    """
    if inputs == 5:
        return extended_linear(threshold_functions(4), 5)
    return threshold_functions(inputs)
