"""Values that one side of a comparison holds in another precision."""

from typing import Any

import numpy as np
import pytest
import torch

import cloudchamber as cc
from cloudchamber.library.precision import BFLOAT16, rounded


@pytest.mark.parametrize("types", [("f4", "f8"), ("f8", "f4"), ("f2", "f8"), ("i8", "f4"), ("f8", "f8")])
def test_values_that_are_equal_in_the_precision_of_one_side_are_equal(
    types: tuple[str, str], rng: np.random.Generator
) -> None:
    """0.1 in single precision is another number in double precision: equal samples had a divergence of 5."""
    tenths = rng.integers(0, 3, 3000) / (1 if "i8" in types else 10)
    truth, generated = (tenths.astype(of) for of in types)
    assert cc.kl(truth, generated, bins=10).value == 0.0
    # Single precision would be a thousand million times as far.
    assert cc.w1(truth, generated).value == pytest.approx(0.0, abs=1e-16)
    particles = [np.ma.masked_less(values.reshape(-1, 3), 0) for values in (truth, generated)]
    assert cc.kl(*particles, bins=10).value == 0.0
    # What differs still does.
    assert cc.kl(truth, generated + generated.dtype.type(0.25), bins=10).value > 1


@pytest.mark.parametrize("other", [torch.float64, torch.float32, torch.float16, torch.int64])
def test_half_precision_of_networks_is_one_too(
    other: torch.dtype, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Numpy has no bfloat16: its tensors had been taken for single precision, and equal samples had a KL above 5."""
    values = torch.from_numpy(rng.integers(0, 3, 3000))
    # Whole numbers beyond 256 are rounded too.
    values = 257 + 2 * values if other == torch.int64 else values / 10
    for sides in ((values.to(other), values.bfloat16()), (values.bfloat16(), values.to(other))):
        assert cc.kl(*sides, bins=10).value == 0.0
        assert cc.w1(*sides).value == pytest.approx(0.0, abs=1e-15)
    smooth = torch.from_numpy(rng.normal(500, 50, (2, 3000)))
    capsys.readouterr()
    assert cc.kl(smooth[0].bfloat16(), smooth[1]).value < 0.1
    assert capsys.readouterr().err == ""
    assert cc.kl(values.to(other), (values + values.max()).bfloat16(), bins=10).value > 1


@pytest.mark.parametrize("of", [np.int64, np.uint64])
def test_whole_numbers_that_double_precision_rounds_are_refused(of: type[np.integer[Any]]) -> None:
    """As the numbers of cells of 64 bits: half of truth on another one had a divergence of zero."""
    numbers = np.array([2**60, 2**60 + 1] * 50, of)
    with pytest.raises(cc.InputError, match=r"^generated: a whole number is beyond 2\^53, .*: number them anew"):
        cc.kl(numbers - of(2**60), numbers)
    assert cc.kl(numbers - of(2**60), np.zeros(100, of), bins=2).value > 0.5


def test_rounding_to_half_precision_is_that_of_torch(rng: np.random.Generator) -> None:
    values = rng.normal(size=10000) * 10.0 ** rng.integers(-30, 30, 10000)
    middles = np.array([1 + 2.0**-8, 1 + 3 * 2.0**-8, -0.0, 0.0, 3.3e38, -1e-40])
    for numbers in (values, middles):
        expected = torch.from_numpy(numbers).float().bfloat16().double().numpy()
        np.testing.assert_array_equal(rounded(numbers, BFLOAT16), expected)


def test_values_of_a_grid_with_other_digits_are_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Centres of cells in single precision, computed in two ways: equal samples have a divergence of 0.8."""
    cells, others = rng.integers(-25, 25, (2, 3000))
    truth, rounded = ((places * np.float32(0.1)).astype(np.float32) for places in (cells, others))
    generated = (others * 0.1).astype(np.float32)
    assert cc.kl(truth, rounded).value < 0.1
    assert cc.kl(rng.normal(size=3000).astype("f4"), generated).value > 0
    assert cc.kl(cells, others).value < 0.1
    for size in (1000, 20000):
        halves = [scale * rng.normal(size=size).astype("f2") for scale in (1, 1.1)]
        assert cc.kl(*halves, bins=10).value > 0
        assert cc.kl(*map(np.exp, halves), bins=10).value > 0
    assert "last digits" not in capsys.readouterr().err
    number = np.count_nonzero(rounded != generated)
    line = f"{number} of 3000 values of '{{}}' are values that many of 'truth' have but for the last digits"
    assert cc.kl(truth, generated).value > 0.5
    assert line.format("generated") in capsys.readouterr().err
    cc.kl(truth, rounded, generated)
    assert line.format("floor") in capsys.readouterr().err
    particles = [np.ma.masked_less(values.reshape(-1, 3), 0) for values in (truth, generated)]
    cc.kl(*particles)
    assert "last digits" in capsys.readouterr().err


def test_a_value_beyond_the_precision_of_another_side_is_told() -> None:
    with pytest.raises(cc.InputError, match="generated: a value is too large for float32, which another sample has"):
        cc.kl(np.ones(3, "f4"), [1.0, 2.0, 1e300])
