"""Threshold functions: the known counts, and the same sets from two oracles that share nothing with the programme."""

from itertools import combinations, product
from types import SimpleNamespace

import numpy as np
import pytest

from cloudchamber.studies.gating import threshold_functions as module
from cloudchamber.studies.gating.threshold_functions import (
    coordinates,
    extended_linear,
    linear_threshold_functions,
    monomials,
    separating_weights,
    symmetries,
    threshold_functions,
    truth_tables,
    truth_values,
)

COUNTS = {(1, 1): 4, (2, 1): 14, (3, 1): 104, (4, 1): 1882, (1, 2): 4, (2, 2): 16, (3, 2): 254, (4, 2): 57_574}
PARITY = {3: 0b10010110, 4: 0b0110100110010110}


@pytest.fixture(scope="module")
def functions() -> dict[tuple[int, int], np.ndarray]:
    """All threshold functions, by number of inputs and degree."""
    return {key: threshold_functions(*key) for key in COUNTS}


def by_weights(inputs: int, largest: int) -> np.ndarray:
    """All linear threshold functions with whole weights of at most ``largest`` and inputs 0 and 1."""
    weights = np.array(list(product(range(-largest, largest + 1), repeat=inputs)))
    points = np.array(list(product((0, 1), repeat=inputs)))[:, ::-1]
    sums = weights @ points.T
    tables = []
    for threshold in np.arange(-largest * inputs - 0.5, largest * inputs + 1):
        packed = np.packbits(sums > threshold, axis=1, bitorder="little")
        tables.append(np.unique(np.pad(packed, ((0, 0), (0, 4 - packed.shape[1]))).view(np.uint32)))
    return np.unique(np.concatenate(tables))


def by_circuits(inputs: int, degree: int) -> np.ndarray:
    """All threshold functions as those without a positive circuit: minimal dependencies of inputs, from determinants.

    A function is no sign of a polynomial exactly where some minimal linear dependency between its signed rows of
    monomials has positive coefficients only.
    """
    points = np.array(list(product((-1, 1), repeat=inputs)))[:, ::-1]
    subsets = [s for size in range(degree + 1) for s in combinations(range(inputs), size)]
    rows = np.array([[np.prod(point[list(subset)]) for subset in subsets] for point in points], dtype=float)
    number, width = rows.shape
    tables = np.arange(2**number)
    fits = np.ones(len(tables), dtype=bool)
    chosen = np.array(list(combinations(range(number), width + 1)), dtype=int).reshape(-1, width + 1)
    masks = set()
    if len(chosen):
        minors = [np.linalg.det(np.delete(rows[chosen], left, axis=1)) for left in range(width + 1)]
        signs = np.sign(np.rint(minors)).T * (-1) ** np.arange(width + 1)
        for subset, sign in zip(chosen, signs.astype(int), strict=True):
            masks.add(tuple(int((1 << subset[sign == side]).sum()) for side in (1, -1)))
    for true, false in masks - {(0, 0)}:
        fits &= ~(((tables & true) == true) & ((tables & false) == 0))
        fits &= ~(((tables & false) == false) & ((tables & true) == 0))
    return tables[fits]


@pytest.mark.parametrize("key", COUNTS)
def test_counts_are_the_known_ones(key: tuple[int, int], functions: dict) -> None:
    assert len(functions[key]) == COUNTS[key]


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
def test_whole_weights_of_at_most_three_give_the_same_linear_functions(inputs: int, functions: dict) -> None:
    np.testing.assert_array_equal(functions[inputs, 1], by_weights(inputs, 3))


def test_weights_of_at_most_two_do_not_suffice() -> None:
    assert len(by_weights(4, 2)) < COUNTS[4, 1]


@pytest.mark.parametrize("key", COUNTS)
def test_functions_without_positive_circuits_are_the_same(key: tuple[int, int], functions: dict) -> None:
    np.testing.assert_array_equal(functions[key], by_circuits(*key))


def test_five_inputs() -> None:
    found = linear_threshold_functions(5)
    assert len(found) == 94_572
    np.testing.assert_array_equal(found, by_weights(5, 5))


@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_functions_from_pairs_of_one_input_less_are_the_same(inputs: int, functions: dict) -> None:
    np.testing.assert_array_equal(extended_linear(functions[inputs - 1, 1], inputs), functions[inputs, 1])


def test_only_parities_of_three_inputs_need_a_cubic(functions: dict) -> None:
    missing = np.setdiff1d(np.arange(256), functions[3, 2])
    assert missing.tolist() == sorted([PARITY[3], 255 ^ PARITY[3]])
    assert PARITY[4] not in functions[4, 2]


@pytest.mark.parametrize("key", COUNTS)
def test_sets_are_closed_under_the_symmetries(key: tuple[int, int], functions: dict) -> None:
    values = truth_values(functions[key], key[0])
    assert set(truth_tables(~values)) == set(functions[key])
    for image in symmetries(key[0])[:: max(1, len(symmetries(key[0])) // 20)]:
        assert set(truth_tables(values[:, image])) == set(functions[key])


@pytest.mark.parametrize("inputs", [1, 2, 3, 4])
def test_linear_functions_are_quadratic_ones(inputs: int, functions: dict) -> None:
    assert set(functions[inputs, 1]) <= set(functions[inputs, 2])


@pytest.mark.parametrize("degree", [1, 2])
def test_weights_separate_in_whole_numbers(degree: int, functions: dict, rng: np.random.Generator) -> None:
    features = monomials(4, degree)
    for table in rng.choice(functions[4, degree], 30):
        values = truth_values(table, 4)
        weights = separating_weights(values, features)
        assert weights is not None
        assert weights.dtype == np.int64
        assert (features @ weights >= 1).tolist() == values.tolist()
        assert (features @ weights <= -1).tolist() == (~values).tolist()


def test_nothing_separates_parity() -> None:
    assert separating_weights(truth_values(PARITY[4], 4), monomials(4, 2)) is None
    assert separating_weights(truth_values(PARITY[4], 4), monomials(4, 4)) is not None


@pytest.mark.parametrize("table", [0b0110, 0b1000])
def test_a_wrong_answer_of_the_programme_is_no_answer(table: int, monkeypatch: pytest.MonkeyPatch) -> None:
    nonsense = SimpleNamespace(x=np.zeros(4), ineqlin=SimpleNamespace(marginals=-np.array([0.5, 0.25, 0.25, 0.0])))
    monkeypatch.setattr(module, "linprog", lambda *args, **options: nonsense)
    with pytest.raises(ArithmeticError, match="no exact certificate"):
        separating_weights(truth_values(table, 2), monomials(2, 1))


def test_one_function_of_each_class_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    decided = []
    monkeypatch.setattr(module, "separating_weights", lambda values, features: decided.append(values))
    threshold_functions(4)
    assert len(decided) == 222


def test_symmetries_are_those_of_the_cube() -> None:
    images = symmetries(3)
    assert len(np.unique(images, axis=0)) == 48
    points = coordinates(3)
    distances = (points[:, None] != points[None]).sum(axis=2)
    for image in images:
        np.testing.assert_array_equal(distances[image][:, image], distances)


def test_truth_tables_and_values_are_inverse(rng: np.random.Generator) -> None:
    tables = rng.integers(2**32, size=50, dtype=np.uint32)
    np.testing.assert_array_equal(truth_tables(truth_values(tables, 5)), tables)
    assert truth_values(0b0010, 2).tolist() == [False, True, False, False]
    assert coordinates(2).tolist() == [[-1, -1], [1, -1], [-1, 1], [1, 1]]


@pytest.mark.parametrize("inputs", [0, 5])
def test_too_many_functions_are_refused(inputs: int) -> None:
    with pytest.raises(ValueError, match="cannot be gone through"):
        threshold_functions(inputs)
