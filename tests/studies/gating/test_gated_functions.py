"""Products of gates: the counts of both conventions, against arithmetic with numbers, and the set of bits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cloudchamber.errors import OutOfMemoryError
from cloudchamber.studies.gating import count as steps
from cloudchamber.studies.gating.gated_functions import Convention, count_products, gated_functions, product
from cloudchamber.studies.gating.threshold_functions import threshold_functions, truth_values

COUNTS: dict[tuple[int, Convention], int] = {
    (1, "signs"): 4,
    (2, "signs"): 16,
    (3, "signs"): 254,
    (4, "signs"): 54_310,
    (1, "zero_one"): 4,
    (2, "zero_one"): 16,
    (3, "zero_one"): 246,
    (4, "zero_one"): 32_506,
}
LOW = {"signs": -1, "zero_one": 0}
XOR, PARITY = 0b0110, 0b10010110


@pytest.fixture(scope="module")
def linear() -> dict[int, np.ndarray]:
    """All linear threshold functions, by number of inputs."""
    return {inputs: threshold_functions(inputs) for inputs in (1, 2, 3, 4)}


@pytest.mark.parametrize("key", COUNTS)
def test_counts_are_the_known_ones(key: tuple[int, Convention], linear: dict) -> None:
    inputs, convention = key
    assert len(gated_functions(linear[inputs], inputs, convention)) == COUNTS[key]


@pytest.mark.parametrize("key", [key for key in COUNTS if key[0] < 4])
def test_products_are_products_of_numbers(key: tuple[int, Convention], linear: dict) -> None:
    inputs, convention = key
    outputs = np.where(truth_values(linear[inputs], inputs), 1, LOW[convention])
    products = {tuple(first * second) for first in outputs for second in outputs}
    found = truth_values(gated_functions(linear[inputs], inputs, convention), inputs)
    assert {tuple(row) for row in np.where(found, 1, LOW[convention])} == products


@pytest.mark.parametrize("key", COUNTS)
def test_the_set_of_bits_counts_the_same(key: tuple[int, Convention], linear: dict) -> None:
    inputs, convention = key
    assert count_products(linear[inputs], inputs, convention) == COUNTS[key]


@pytest.mark.parametrize("key", COUNTS)
def test_a_gate_alone_is_a_product(key: tuple[int, Convention], linear: dict) -> None:
    inputs, convention = key
    assert set(linear[inputs]) <= set(gated_functions(linear[inputs], inputs, convention))


def test_two_gates_are_xor_and_not_parity_of_three(linear: dict) -> None:
    for convention in LOW:
        assert XOR in gated_functions(linear[2], 2, convention)
        assert not {PARITY, 255 ^ PARITY} & set(gated_functions(linear[3], 3, convention))
    assert XOR not in linear[2]


def test_products_of_signs_of_three_inputs_are_the_quadratic_functions(linear: dict) -> None:
    np.testing.assert_array_equal(gated_functions(linear[3], 3, "signs"), threshold_functions(3, degree=2))


def test_products_of_few_functions_are_not_all() -> None:
    functions = np.array([0b0000, 0b1111, 0b0011, 0b1100], dtype=np.uint32)
    assert gated_functions(functions, 2, "zero_one").tolist() == sorted(functions)
    assert count_products(functions, 2, "signs") == 4
    assert int(product(functions[2], functions[2:], 2, "signs")[1]) == 0


def test_products_of_signs_need_complements(linear: dict) -> None:
    with pytest.raises(ValueError, match="complement"):
        count_products(linear[3][1:], 3, "signs")
    assert count_products(linear[3][1:], 3, "zero_one") > 0


def test_products_of_five_inputs_are_not_listed() -> None:
    with pytest.raises(ValueError, match="at most 4"):
        gated_functions(np.zeros(1, dtype=np.uint32), 5, "signs")


@pytest.mark.parametrize("convention", ["signs", "zero_one"])
def test_the_set_of_bits_has_room_for_five_inputs(convention: Convention, rng: np.random.Generator) -> None:
    half = rng.integers(2**32, size=200, dtype=np.uint32)
    functions = np.concatenate([half, ~half])
    products = np.unique(product(functions[:, None], functions[None, :], 5, convention))
    assert products.max() > 2**31
    assert count_products(functions, 5, convention) == len(products)


@pytest.mark.slow
def test_stored_counts_of_five_inputs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    steps.count_five_inputs(tmp_path / "five.csv")
    table = pd.read_csv(tmp_path / "five.csv").set_index("family")
    assert table["functions"].to_dict() == {
        "linear_threshold": 94_572,
        "gated_signs": 387_698_944,
        "gated_zero_one": 44_642_388,
    }
    assert table["agrees"].all()
    assert "1118006541/1118006541 (100 %) pairs" in capfd.readouterr().err


def test_too_little_memory_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_FIVE_INPUTS_BYTES", 10**18)
    with pytest.raises(OutOfMemoryError, match=r"GB of memory, .* GB are free$"):
        steps.count_five_inputs(tmp_path / "five.csv")
    assert not list(tmp_path.iterdir())
