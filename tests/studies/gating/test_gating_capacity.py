"""Capacities: the whole table, its bounds and its parameters."""

from math import log2

import numpy as np
import pytest

from cloudchamber.studies.gating.capacity import FAMILIES, STORED, Capacity, capacities, cover_bound, parameters
from cloudchamber.studies.gating.threshold_functions import separating_weights, truth_values

# Functions of 1 to 5 inputs, and capacities in bits as they are printed.
TABLE = {
    "linear_threshold": ((4, 14, 104, 1_882, 94_572), (2, 3.807, 6.700, 10.878, 16.529)),
    "gated_zero_one": ((4, 16, 246, 32_506, 44_642_388), (2, 4, 7.943, 14.988, 25.412)),
    "gated_signs": ((4, 16, 254, 54_310, 387_698_944), (2, 4, 7.989, 15.729, 28.530)),
    "quadratic_threshold": ((4, 16, 254, 57_574, None), (2, 4, 7.989, 15.813, None)),
    "all": ((4, 16, 256, 65_536, 2**32), (2, 4, 8, 16, 32)),
}
PARAMETERS = {
    "linear_threshold": (2, 3, 4, 5, 6),
    "gated_zero_one": (4, 6, 8, 10, 12),
    "gated_signs": (4, 6, 8, 10, 12),
    "quadratic_threshold": (2, 4, 7, 11, 16),
    "all": (2, 4, 8, 16, 32),
}
RATIOS = (1.00, 1.05, 1.19, 1.45, 1.73)


@pytest.fixture(scope="module")
def found() -> dict[tuple[str, int], Capacity]:
    """All capacities, by family and inputs."""
    return {(item.family, item.inputs): item for item in capacities(4)}


def test_the_table_is_the_known_one(found: dict[tuple[str, int], Capacity]) -> None:
    assert set(FAMILIES) == set(TABLE)
    assert len(found) == 25
    for family, (functions, bits) in TABLE.items():
        items = [found[family, inputs] for inputs in range(1, 6)]
        assert tuple(item.functions for item in items) == functions
        assert tuple(item.parameters for item in items) == PARAMETERS[family]
        for item, expected in zip(items, bits, strict=True):
            assert item.bits == (None if expected is None else pytest.approx(expected, abs=6e-4))


def test_gating_climbs_towards_twice_the_capacity(found: dict[tuple[str, int], Capacity]) -> None:
    for inputs, ratio in enumerate(RATIOS, 1):
        gated, one = (found[family, inputs].bits for family in ("gated_signs", "linear_threshold"))
        assert gated / one == pytest.approx(ratio, abs=5e-3)


def test_no_capacity_is_above_its_bound(found: dict[tuple[str, int], Capacity]) -> None:
    for item in found.values():
        assert item.bits is None or item.bits <= item.bound + 1e-12
        # So many functions are not there, as the caption of the figure says.
        assert not item.family.startswith("gated") or item.bound > 2**item.inputs
    # Of so few inputs some bounds are reached, so that a smaller one would be wrong.
    reached = {key for key, item in found.items() if item.bits is not None and item.bits == pytest.approx(item.bound)}
    assert reached == {
        *(("all", inputs) for inputs in range(1, 6)),
        *(("linear_threshold", inputs) for inputs in (1, 2)),
        *(("quadratic_threshold", inputs) for inputs in (1, 2, 3)),
    }


def test_capacities_rise_in_the_order_of_the_families(found: dict[tuple[str, int], Capacity]) -> None:
    for inputs in range(1, 6):
        bits = [found[family, inputs].bits for family in FAMILIES]
        known = [value for value in bits if value is not None]
        assert known == sorted(known)


def test_origins_say_what_was_counted(found: dict[tuple[str, int], Capacity]) -> None:
    origins = {key: item.origin for key, item in found.items()}
    assert {origins[family, inputs] for family in FAMILIES[:-1] for inputs in (1, 2, 3, 4)} == {"counted"}
    assert {origins[family, 5] for family in STORED} == {"stored"}
    assert origins["quadratic_threshold", 5] == "not done"
    assert {origins["all", inputs] for inputs in range(1, 6)} == {"formula"}


@pytest.mark.parametrize(("largest", "stored", "inputs"), [(2, False, {1, 2}), (1, True, {1, 5})])
def test_settings_choose_the_inputs(largest: int, stored: bool, inputs: set[int]) -> None:
    assert {item.inputs for item in capacities(largest, stored)} == inputs


def test_cover_counts_points_in_general_position() -> None:
    # On the moment curve no three of them lie in one plane through the origin.
    points = np.arange(-3, 3)[:, None] ** np.arange(3)
    functions = [truth_values(table, 3)[:6] for table in range(64)]
    separated = sum(separating_weights(values, points) is not None for values in functions)
    assert log2(separated) == pytest.approx(cover_bound(6, 3))


def test_cover_needs_a_parameter_for_each_point() -> None:
    assert cover_bound(8, 8) == pytest.approx(8)
    assert cover_bound(8, 7) < 8


def test_parameters_of_a_large_gate() -> None:
    assert parameters("quadratic_threshold", 100) == 1 + 100 + 4950
    assert parameters("gated_signs", 100) == 202
