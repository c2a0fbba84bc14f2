"""Event weights, from the branch of a ROOT file to the feature of clouds."""

import json
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from root_files import random_towers, write_delphes
from weighted_files import EVENTS, JETS, ingested, write_events

from cloudchamber.errors import InputError
from cloudchamber.settings.ingestion import IngestionSettings


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "clouds.h5"


@pytest.mark.parametrize("clouds", [JETS, {"kind": "events"}])
def test_all_clouds_of_an_event_have_its_weight(
    tmp_path: Path, output: Path, rng: np.random.Generator, clouds: dict[str, Any]
) -> None:
    weights = rng.exponential(1e-3, EVENTS).astype(np.float32)
    made = ingested([write_events(tmp_path / "a.root", rng, Weight=weights)], output, clouds=clouds)
    assert [column.name for column in made.feature_columns][-1] == "event_weight"
    np.testing.assert_array_equal(made.event_weight, weights[made.label("event")])
    known = made.meta["event_weights"]
    assert known["sum"] == pytest.approx(weights.sum(), rel=1e-6)
    assert known["effective_events"] == pytest.approx(weights.sum() ** 2 / (weights**2).sum(), rel=1e-5)


def test_the_weighted_mean_is_that_of_the_spectrum_that_weights_stand_for(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    """One tower per event, drawn flat in pT and weighted with exp(-pT / 100 GeV): <pT> in closed form."""
    events = 20_000
    pt = rng.uniform(100, 600, events)
    one = {"ET": pt, "Eta": np.zeros(events), "Phi": np.zeros(events)}
    tower = {leaf: values[:, None].tolist() for leaf, values in one.items()}
    weights = {"Weight": np.exp(-pt / 100)[:, None].tolist()}
    path = write_delphes(tmp_path / "a.root", {"Tower": tower, "Event": weights})
    made = ingested([path], output, step_size="1 MB")
    expected = 100 + 100 - 500 * np.exp(-5) / (1 - np.exp(-5))
    assert np.average(made.feature("jet_pt"), weights=made.event_weight) == pytest.approx(expected, rel=0.02)
    assert made.feature("jet_pt").mean() == pytest.approx(350, rel=0.02)


@pytest.mark.parametrize("weight", [1.0, 4.7e-9, -2.0, 0.0])
def test_equal_weights_change_nothing(tmp_path: Path, output: Path, rng: np.random.Generator, weight: float) -> None:
    plain = ingested([write_events(tmp_path / "plain.root", np.random.default_rng(4))], output)
    rounded = np.full(EVENTS, weight) * (1 + 1e-7 * rng.random(EVENTS))
    path = write_events(tmp_path / "a.root", np.random.default_rng(4), Weight=rounded)
    made = ingested([path], tmp_path / "weighted.h5")
    assert made.feature_columns == plain.feature_columns
    assert "event_weights" not in made.meta
    for name in ("points", "mask", "features", "labels"):
        np.testing.assert_array_equal(getattr(made, name), getattr(plain, name))


def test_files_whose_weights_differ_are_weighted(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    """Each file has one weight for all its events, but not the same."""
    files = [write_events(tmp_path / f"{weight}.root", rng, Weight=np.full(EVENTS, weight)) for weight in (0.5, 2.0)]
    made = ingested(files, output)
    np.testing.assert_array_equal(made.event_weight, np.array([0.5, 2.0])[made.label("file")])


def test_negative_weights_are_carried_and_counted(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    weights = np.where(np.arange(EVENTS) % 5 == 0, -1.0, 1.0)
    made = ingested([write_events(tmp_path / "a.root", rng, Weight=weights)], output)
    np.testing.assert_array_equal(made.event_weight, weights[made.label("event")])
    assert made.meta["event_weights"]["negative_events"] == EVENTS // 5


def test_weights_are_left_unread_where_that_is_asked_for(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    path = write_events(tmp_path / "a.root", rng, Weight=rng.random(EVENTS))
    assert ingested([path], output, weight_branch=None).event_weight is None


def test_another_branch(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    weights = rng.normal(size=EVENTS)
    towers = {leaf: ak.Array([np.float32(v) for v in lists]) for leaf, lists in random_towers(rng, EVENTS).items()}
    arrays = {"Tower": ak.zip(towers), "genWeight": weights}
    with uproot.recreate(tmp_path / "a.root") as file:
        file.mktree(
            "Delphes",
            {"Tower": arrays["Tower"].type, "genWeight": "f8"},
            field_name=lambda outer, inner: inner if outer == "" else f"{outer}.{inner}",
            counter_name=lambda counted: f"{counted}_size",
        )
        file["Delphes"].extend(arrays)
    made = ingested([tmp_path / "a.root"], output, weight_branch="genWeight")
    np.testing.assert_allclose(made.event_weight, weights[made.label("event")], rtol=1e-6)


def test_bad_weights(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    weights = rng.random(EVENTS)
    weights[7] = np.nan
    path = write_events(tmp_path / "a.root", rng, Weight=weights)
    with pytest.raises(InputError, match=r"a\.root: branch 'Event\.Weight' is not finite in event 7"):
        ingested([path], output)
    assert not output.exists()
    made = ingested([path], output, on_bad_event="skip")
    assert made.meta["events"]["skipped_bad_values"] == 1
    assert 7 not in made.label("event")
    assert np.isfinite(made.event_weight).all()
    good = write_events(tmp_path / "b.root", rng, Weight=np.ones(EVENTS))
    made = ingested([path, good], output, on_bad_file="skip")
    assert list(made.meta["files_skipped"]) == [str(path)]
    assert made.event_weight is None


def test_several_weights_of_an_event_are_refused(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    path = write_delphes(
        tmp_path / "a.root",
        {"Tower": random_towers(rng, 3), "Event": {"Weight": [[1.0], [1.0, 0.1], [1.0]]}},
    )
    with pytest.raises(InputError, match=r"branch 'Event\.Weight' has 2 values in entry 1, not one"):
        ingested([path], output)


def test_a_branch_that_is_asked_for_must_be_there(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    with pytest.raises(InputError, match=r"no branch 'Event\.Other'"):
        ingested([write_events(tmp_path / "a.root", rng, Weight=np.ones(EVENTS))], output, weight_branch="Event.Other")


def test_the_branch_of_another_layout_is_not_left_out_where_it_is_not_there(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    path = write_events(tmp_path / "a.root", rng, Weight=rng.exponential(1.0, EVENTS))
    with pytest.raises(InputError, match="no branch 'genWeight'"):
        ingested([path], output, weight_branch="genWeight")


def test_files_with_and_without_weights_are_not_mixed(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    files = [
        write_events(tmp_path / "a.root", rng, Weight=np.full(EVENTS, 3.0)),
        write_events(tmp_path / "b.root", rng),
    ]
    with pytest.raises(InputError, match=r"a\.root has event weights \('Event\.Weight'\), .*b\.root has none"):
        ingested(files, output)


@pytest.mark.parametrize("weight", [1.0, 2.0])
def test_a_file_whose_weights_are_all_zero_does_not_vanish_beside_others(
    weight: float, tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    files = [
        write_events(tmp_path / f"{name}.root", rng, Weight=np.full(EVENTS, w))
        for name, w in (("a", weight), ("b", 0.0))
    ]
    with pytest.raises(
        InputError, match=r"b\.root: all event weights \('Event\.Weight'\) are zero, those of .*a\.root"
    ):
        ingested(files, output)
    assert ingested(files[1:], output).event_weight is None


def test_a_real_file_with_weights(delphes_samples: Path, output: Path) -> None:
    jets = {"kind": "reclustered", "constituents": "energy_flow", "pt_window": [10, 5000]}
    made = ingested([delphes_samples / "public/spectraljet_mini.root"], output, clouds=jets)
    stored = [41.276436, 41.03839, 41.098064, 39.82088, 40.54026]
    np.testing.assert_allclose(made.event_weight, np.array(stored)[made.label("event")], rtol=1e-6)


def test_settings_round_trip() -> None:
    """As they travel on the command line."""
    given = {"clouds": JETS, "max_particles": 3, "cross_sections": {"/data/*.root": 2.0}}
    settings = IngestionSettings.model_validate(given)
    assert IngestionSettings.model_validate(json.loads(settings.model_dump_json())) == settings
