"""Standardisation: invertible to float precision, unit deviation on what it was fitted to, blind to everything else."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from prepared_jets import raw_jets

from cloudchamber.errors import InputError
from cloudchamber.preparation.prepared_jets import prepared
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.data import PreparationSettings

ROUNDING = 2.0**-24  # largest relative error of one rounding to float32

linear = st.floats(-1e6, 1e6, width=32)
positive = st.floats(2.0**-20, 2.0**20, width=32)


def _rows(elements: st.SearchStrategy[float], columns: int) -> st.SearchStrategy[np.ndarray]:
    rows = arrays(np.float32, st.tuples(st.integers(2, 30), st.just(columns)), elements=elements)
    # A spread of at least 1e-3 of the largest value, as float32 columns with a meaning have.
    return rows.filter(lambda values: (np.ptp(values, axis=0) > 1e-3 * np.abs(values).max(axis=0)).all())


def _log_size(values: np.ndarray, mean: float) -> np.ndarray:
    return values * np.abs(np.log(values) - mean)


def _sqrt_size(values: np.ndarray, mean: float) -> np.ndarray:
    return 2 * np.sqrt(values) * np.abs(np.sqrt(values) - mean)


@given(_rows(linear, 2))
def test_linear_columns_come_back_to_float_precision(rows: np.ndarray) -> None:
    fit = Standardisation.fit(rows, ("a", "b"))
    back = fit.inverse(fit.forward(rows)).astype(np.float64)
    exact = rows.astype(np.float64)
    # One rounding of (x - mean) / deviation, one of the result.
    bound = ROUNDING * (np.abs(exact - fit.mean) + np.abs(exact)) * 1.001 + 1e-30
    assert (np.abs(back - exact) <= bound).all()


@pytest.mark.parametrize(("scale", "size"), [("log", _log_size), ("sqrt", _sqrt_size)])
@given(rows=_rows(positive, 1))
def test_scaled_columns_come_back_to_float_precision(
    scale: str, size: Callable[[np.ndarray, float], np.ndarray], rows: np.ndarray
) -> None:
    fit = Standardisation.fit(rows, ("pt_rel",), {"pt_rel": scale})
    back = fit.inverse(fit.forward(rows)).astype(np.float64)
    exact = rows.astype(np.float64)
    # One rounding of the standardised value, as the inverse scale enlarges it, and one of the result.
    bound = ROUNDING * (size(exact, fit.mean[0]) + exact) * 1.001 + 1e-12 * exact
    assert (np.abs(back - exact) <= bound).all()


@given(_rows(positive, 3))
def test_fitted_rows_have_mean_zero_and_deviation_one(rows: np.ndarray) -> None:
    fit = Standardisation.fit(rows, ("a", "b", "c"), {"b": "log", "c": "sqrt"})
    values = fit.forward(rows).astype(np.float64)
    largest = np.abs(values).max()
    assert np.abs(values.mean(axis=0)).max() <= 2 * ROUNDING * largest + 1e-9
    assert np.abs(values.std(axis=0) - 1).max() <= 2 * ROUNDING * largest**2 + 1e-9


@given(_rows(positive, 2))
def test_json_keeps_every_bit(rows: np.ndarray) -> None:
    fit = Standardisation.fit(rows, ("a", "b"), {"a": "log"})
    assert Standardisation.from_json(json.loads(json.dumps(fit.to_json()))) == fit


@pytest.mark.parametrize("scale", ["linear", "log", "sqrt"])
@given(value=positive, length=st.integers(1, 2000))
def test_a_constant_column_is_refused(scale: str, value: float, length: int) -> None:
    rows = np.full((length, 1), value)
    with pytest.raises(InputError, match="column 'a' is constant"):
        Standardisation.fit(rows, ("a",), {"a": scale})


@pytest.mark.parametrize("scale", ["log", "sqrt"])
def test_what_cannot_be_standardised_is_refused(scale: str) -> None:
    with pytest.raises(InputError, match="nothing to fit"):
        Standardisation.fit(np.empty((0, 1)), ("a",))
    scales = {"pt_rel": scale}
    outside = rf"column 'pt_rel': 1 of 2 values are (not positive|negative), outside of the {scale} scale"
    with pytest.raises(InputError, match=outside):
        Standardisation.fit(np.array([[-0.1], [1.0]]), ("pt_rel",), scales)
    fit = Standardisation.fit(np.array([[0.5], [1.0]]), ("pt_rel",), scales)
    for value in (-1.0, np.nan):
        with pytest.raises(InputError, match=outside):
            fit.forward(np.array([[value], [1.0]]))


def test_zero_is_a_value_of_the_root_and_not_of_the_logarithm() -> None:
    rows = np.array([[0.0], [0.25], [1.0]])
    fit = Standardisation.fit(rows, ("pt_rel",), {"pt_rel": "sqrt"})
    np.testing.assert_allclose(fit.inverse(fit.forward(rows)), rows, atol=1e-7)
    with pytest.raises(InputError, match="1 of 3 values are not positive, outside of the log scale"):
        Standardisation.fit(rows, ("pt_rel",), {"pt_rel": "log"})


@pytest.mark.parametrize("scale", ["log", "sqrt"])
def test_whatever_a_model_gives_has_a_positive_momentum(scale: str) -> None:
    fit = Standardisation.fit(np.array([[0.5], [1.0]]), ("pt_rel",), {"pt_rel": scale})
    assert (fit.inverse(np.linspace(-30, 30, 1001)[:, None]) > 0).all()


@pytest.mark.parametrize(("scale", "function"), [("log", np.log), ("sqrt", np.sqrt), ("linear", np.array)])
def test_the_fit_sees_the_training_part_only(
    scale: str, function: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator
) -> None:
    clouds = raw_jets(120, 6, rng)
    settings = PreparationSettings.model_validate({"pt_scale": scale})
    result = prepared(clouds, settings, np.random.default_rng(1))
    others = np.concatenate([result.indices["validation"], result.indices["test"]])
    points, features = clouds.points.copy(), clouds.features.copy()
    points[others] *= 2.0
    features[others] *= 2.0
    changed = prepared(replace(clouds, points=points, features=features), settings, np.random.default_rng(1))
    assert changed.meta["standardisation"] == result.meta["standardisation"]
    train = result.part("train")
    fit = Standardisation.from_json(result.meta["standardisation"]["points"])
    expected = train.points[train.mask].astype(np.float64)
    expected[:, 2] = function(expected[:, 2])
    assert np.allclose(fit.mean, expected.mean(axis=0), rtol=1e-12)
    assert np.allclose(fit.deviation, expected.std(axis=0), rtol=1e-12)
    conditions = Standardisation.from_json(result.meta["standardisation"]["conditions"])
    assert np.allclose(conditions.mean, [train.feature(name).mean(dtype=np.float64) for name in ("jet_pt", "jet_mass")])
