"""Samples of truth that stand for each other and are not alike."""

from pathlib import Path

import numpy as np
import pytest

import cloudchamber as cc
from cloudchamber.metrics.unlike import jet_columns, say_unlike


def two_slices(rng: np.random.Generator, jets: int) -> np.ndarray:
    """Return jets of 8 particles, then as many of 16, as of two files one after the other."""
    found = np.zeros((2 * jets, 16, 3))
    for first, width, number in ((0, 0.1, 8), (jets, 0.2, 16)):
        rows = slice(first, first + jets)
        found[rows, :number, :2] = rng.normal(0, width, (jets, number, 2))
        found[rows, :number, 2] = rng.dirichlet(np.ones(number), jets)
    return found


@pytest.mark.parametrize("metric", ["kl", "w1m", "fpd", "coverage"])
def test_a_floor_of_sorted_jets_is_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first half of them is of one slice: the W1 of the mass is 0.07 where it is 0.004."""
    truth, generated, more = (two_slices(rng, n) for n in (100, 100, 200))

    def of(jets: np.ndarray) -> np.ndarray:
        return jets if metric != "kl" else (jets[:, :, 2] > 0).sum(axis=1)

    getattr(cc, metric)(of(truth), of(generated), of(more))
    assert "'truth' and 'floor' are not alike: mean " in capsys.readouterr().err
    getattr(cc, metric)(of(truth), of(generated), of(rng.permutation(more)))
    assert "not alike" not in capsys.readouterr().err


def test_halves_of_sorted_jets_are_said(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    """Held-out jets of one slice have no neighbours in the other, whose jets look like copies of training jets."""
    train, test, generated = (two_slices(rng, n) for n in (200, 100, 100))
    assert cc.memorisation(train, test, generated).floor > 0.9
    said = capsys.readouterr().err
    assert "the first half of the test part and the second are not alike: mean multiplicity 8 and 16" in said
    assert cc.memorisation(train, rng.permutation(test), generated).floor < 0.5
    assert "not alike" not in capsys.readouterr().err


def test_the_table_of_all_metrics_says_it(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    truth, generated, train = (two_slices(rng, n) for n in (100, 100, 200))
    quick = {"bootstraps": 2, "energy_mover_jets": 4, "energy_mover_batches": 2}
    cc.compare(rng.permutation(truth), generated, train, settings=quick)
    said = capsys.readouterr().err
    assert "compare: WARNING: true jets and those of the floor are not alike: mean " in said
    cc.compare(rng.permutation(truth), generated, rng.permutation(train), settings=quick)
    assert "not alike" not in capsys.readouterr().err


def test_samples_of_one_distribution_are_alike(rng: np.random.Generator, capsys: pytest.CaptureFixture[str]) -> None:
    """Also with an outlier, with values that are all equal, and with a few jets."""
    values = rng.normal(size=(2, 500))
    values[0, 0] = 1e9
    for one, other in (values, np.ones((2, 500)), np.array([[0.1] * 500, [np.float32(0.1)] * 500]), np.eye(19)[:2]):
        say_unlike("step", "one", {"x": one}, "other", {"x": other}, "why")
    assert capsys.readouterr().err == ""
    say_unlike("step", "one", {"x": np.full(30, 8)}, "other", {"x": np.full(30, 9)}, "why")
    assert capsys.readouterr().err == "step: WARNING: one and other are not alike: mean x 8 and 9; why\n"


def test_what_tells_jets_apart(rng: np.random.Generator, tmp_path: Path) -> None:
    jets = two_slices(rng, 30)
    clouds = cc.clouds_from_arrays(jets, features={"jet_pt": np.arange(1, 61)})
    found = jet_columns(clouds)
    assert list(found) == ["jet_pt", "multiplicity", "sum of pt_rel", "radius"]
    np.testing.assert_array_equal(found["multiplicity"], [8] * 30 + [16] * 30)
    np.testing.assert_allclose(found["radius"], (jets[:, :, 2] * np.hypot(*jets.T[:2]).T).sum(axis=1), rtol=1e-5)
