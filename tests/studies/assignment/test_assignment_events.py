"""Events: the layout of SPANet there and back, what is refused, parts, and partons matched to jets."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from assignment_files import random_events, write_collected

from cloudchamber.errors import InputError
from cloudchamber.preparation.parton_match import match_partons
from cloudchamber.settings.base import parse
from cloudchamber.studies.assignment.collect import collect_events
from cloudchamber.studies.assignment.efficiencies import (
    correct_particles,
    event_efficiency,
    event_purity,
    particle_efficiency,
)
from cloudchamber.studies.assignment.event_file import read_events, read_part, write_events
from cloudchamber.studies.assignment.settings import PartSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR, EventTopology

TOPOLOGY = ALL_HADRONIC_TOP_PAIR


@pytest.fixture
def path(tmp_path: Path) -> Path:
    events = random_events(np.random.default_rng(1), 20)
    events.globals["Event/met"] = np.arange(20.0)  # type: ignore[index]
    write_events(tmp_path / "events.h5", events, TOPOLOGY)
    return tmp_path / "events.h5"


def test_events_are_read_as_they_were_written(path: Path) -> None:
    expected, found = random_events(np.random.default_rng(1), 20), read_events(path, TOPOLOGY)
    for name in ("jets", "mask", "targets"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))
    assert np.array_equal(found.globals["Event/met"], np.arange(20.0))


def test_the_layout_is_that_of_spanet(path: Path) -> None:
    with h5py.File(path, "r") as file:
        assert set(file["INPUTS/Source"]) == {"MASK", "pt", "eta", "phi", "mass", "btag"}
        assert file["INPUTS/Source/MASK"].dtype == bool
        assert file["INPUTS/Source/pt"].shape == (20, 9)
        assert {f"{t}/{d}" for t in file["TARGETS"] for d in file[f"TARGETS/{t}"]} == {
            "t1/b", "t1/q1", "t1/q2", "t2/b", "t2/q1", "t2/q2",
        }  # fmt: skip
        assert file["TARGETS/t1/b"].dtype.kind == "i"


@pytest.mark.parametrize(
    ("key", "change", "said"),
    [
        ("INPUTS/Source/btag", None, "no key 'INPUTS/Source/btag'"),
        ("TARGETS/t2/q1", None, "no key 'TARGETS/t2/q1'"),
        ("TARGETS/t1/b", ("first", 99), "'TARGETS/t1/b' is 99 in event 0"),
        ("INPUTS/Source/pt", ("first row", np.nan), "'INPUTS/Source/pt': no such jet in event 0"),
        ("INPUTS/Source/MASK", ("first row", False), "event 0 has a gap"),
        ("INPUTS/Source/pt", ("first row", 0.0), "no such jet in event 0: 0, expected more than zero: slots without"),
        ("INPUTS/Source/eta", ("first row", 900.0), "no such jet in event 0: 900, expected .eta. up to 20"),
        ("INPUTS/Source/phi", ("first row", 90.0), "no such jet in event 0: 90, expected radians"),
        (
            "INPUTS/Source/btag",
            ("first row", 0.75),
            "no such jet in event 0: 0.75, expected 0 or 1: cut a discriminant",
        ),
        ("INPUTS/Source/btag", ("first row", 4.0), "no such jet in event 0: 4, expected 0 or 1"),
    ],
)
def test_what_no_event_can_be_is_refused(path: Path, key: str, change: tuple[str, float] | None, said: str) -> None:
    with h5py.File(path, "r+") as file:
        values = file[key][()]
        del file[key]
        if change is not None:
            values[(0, 1) if change[0] == "first row" else 0] = change[1]
            file[key] = values
    with pytest.raises(InputError, match=said) as caught:
        read_events(path, TOPOLOGY)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "first", "said"),
    [
        ("INPUTS/Source/MASK", np.nan, "'INPUTS/Source/MASK' is nan in event 0, expected 0 or 1"),
        ("TARGETS/t1/b", 1.5, "'TARGETS/t1/b' is 1.5 in entry 0, expected a whole number"),
        ("TARGETS/t1/b", np.nan, "'TARGETS/t1/b' is nan in entry 0, expected a whole number"),
    ],
)
def test_numbers_of_another_type_are_not_rounded(path: Path, key: str, first: float, said: str) -> None:
    with h5py.File(path, "r+") as file:
        values = file[key][()].astype(np.float32)
        del file[key]
        file[key] = values
    expected = read_events(path, TOPOLOGY)
    assert np.array_equal(expected.targets, random_events(np.random.default_rng(1), 20).targets)
    with h5py.File(path, "r+") as file:
        file[key][0 if values.ndim == 1 else (0, 0)] = first
    with pytest.raises(InputError, match=said):
        read_events(path, TOPOLOGY)


@pytest.mark.parametrize(("change", "typical"), [(lambda pt: 1000 * pt, "1.*e.05"), (np.log1p, "4")])
def test_momenta_in_other_units_are_refused(path: Path, change: Callable[..., np.ndarray], typical: str) -> None:
    with h5py.File(path, "r+") as file:
        file["INPUTS/Source/pt"][()] = change(file["INPUTS/Source/pt"][()])
    with pytest.raises(InputError, match=f"the median pT of all jets is {typical}.*, expected GeV"):
        read_events(path, TOPOLOGY)


def test_angles_from_zero_to_a_whole_turn_are_those_about_zero(path: Path) -> None:
    expected = read_events(path, TOPOLOGY).jets
    with h5py.File(path, "r+") as file:
        phi = file["INPUTS/Source/phi"]
        phi[...] = np.where(phi[()] < 0, phi[()] + 2 * np.pi, phi[()])
    np.testing.assert_allclose(read_events(path, TOPOLOGY).jets, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["mass", "btag"])
def test_a_feature_that_was_not_filled_is_said(name: str, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    collect_events(path, PartSettings(train=0.5, validation=0.2), 1, path.with_name("filled.h5"))
    assert "WARNING" not in capsys.readouterr().err
    with h5py.File(path, "r+") as file:
        file[f"INPUTS/Source/{name}"][...] = 0
    collect_events(path, PartSettings(train=0.5, validation=0.2), 1, path.with_name("empty.h5"))
    assert f"WARNING: {name} of all jets in {path} is 0" in capsys.readouterr().err


@pytest.mark.parametrize(("factor", "said"), [(1000, r"1.*e.04.*: expected GeV"), (-1, r"-\d.*: it was not filled")])
def test_masses_in_another_unit_than_the_momenta_or_below_zero_are_refused(
    factor: float, said: str, path: Path
) -> None:
    with h5py.File(path, "r+") as file:
        file["INPUTS/Source/mass"][()] = factor * file["INPUTS/Source/mass"][()]
    with pytest.raises(InputError, match=rf"'INPUTS/Source/mass': the median mass of all jets is {said}"):
        read_events(path, TOPOLOGY)


def test_two_partons_with_one_jet_are_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["TARGETS/t1/q1"][3] = file["TARGETS/t1/q2"][3] = 1
    with pytest.raises(InputError, match="two partons have the same jet in event 3"):
        read_events(path, TOPOLOGY)


def test_parts_hold_every_event_once(tmp_path: Path) -> None:
    path = write_collected(tmp_path / "events.h5", 100)
    rows = [read_part(path, f"all/{name}", 100) for name in ("train", "validation", "test")]
    assert sorted(np.concatenate(rows)) == list(range(100))
    assert [len(part) for part in rows] == [50, 10, 40]


def test_folds_are_tested_on_consecutive_events(tmp_path: Path) -> None:
    path = write_collected(tmp_path / "events.h5", 103, folds=5)
    tests = [read_part(path, f"fold{number}/test", 103) for number in range(5)]
    assert np.array_equal(np.concatenate(tests), np.arange(103))
    for number, test in enumerate(tests):
        others = [read_part(path, f"fold{number}/{name}", 103) for name in ("train", "validation")]
        assert sorted(np.concatenate([test, *others])) == list(range(103))


def test_folds_of_a_file_with_one_sample_after_another_are_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    events = random_events(np.random.default_rng(1), 400)
    harder = events.jets * np.where(np.arange(400) < 200, 1, 3)[:, None, None] ** np.array([1, 0, 0, 1, 0])
    orders = {
        "mixed": events,
        "by number": events[np.argsort(events.n_jets, kind="stable")],
        "by momentum": replace(events, jets=harder.astype(np.float32)),
        "by completeness": events[np.argsort(events.found(TOPOLOGY).all(axis=1), kind="stable")],
    }
    said = {
        "mixed": "",
        "by number": r"the mean number of jets is 6 in fold0 and 9 in fold4",
        "by momentum": r"the mean logarithm of the pT of the hardest jet is .* in fold\d and .* in fold\d",
        "by completeness": r"the share of events with all particles identifiable is 0 in fold0 and 1 in fold\d",
    }
    for name, ordered in orders.items():
        write_events(tmp_path / "source.h5", ordered, TOPOLOGY)
        collect_events(tmp_path / "source.h5", PartSettings(folds=5), 1, tmp_path / "out.h5")
        found = capsys.readouterr().err
        assert ("WARNING" in found) == (name != "mixed")
        assert re.search(said[name], found)
    collect_events(tmp_path / "source.h5", PartSettings(train=0.5, validation=0.1), 1, tmp_path / "out.h5")
    assert "WARNING" not in capsys.readouterr().err


@pytest.mark.parametrize("settings", [{"train": 0.5, "validation": 0.1}, {"folds": 4}])
def test_an_event_and_its_copy_are_in_one_part(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any]
) -> None:
    once = random_events(np.random.default_rng(1), 60)
    # Two files of one seed, one behind the other.
    write_events(tmp_path / "twice.h5", once[np.tile(np.arange(60), 2)], TOPOLOGY)
    collect_events(tmp_path / "twice.h5", PartSettings(**settings), 1, tmp_path / "out.h5")
    for fold in ("all",) if "train" in settings else [f"fold{number}" for number in range(4)]:
        parts = [read_part(tmp_path / "out.h5", f"{fold}/{name}", 120) for name in ("train", "validation", "test")]
        assert sorted(np.concatenate(parts)) == list(range(120))
        for number, rows in enumerate(parts):
            others = np.concatenate([*parts[:number], *parts[number + 1 :]])
            assert not set((rows % 60).tolist()) & set((others % 60).tolist())
    assert "WARNING: 60 of 120 events are identical to an earlier one" in capsys.readouterr().err


def test_a_part_that_would_be_empty_is_refused(tmp_path: Path) -> None:
    write_events(tmp_path / "few.h5", random_events(np.random.default_rng(1), 3), TOPOLOGY)
    with pytest.raises(InputError, match="3 events are too few: the part 'all/validation' is empty"):
        collect_events(tmp_path / "few.h5", PartSettings(), 1, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()


@pytest.mark.parametrize("settings", [{"train": 0.5, "validation": 0.1}, {"folds": 4}])
def test_training_events_that_do_not_reach_are_said_before_any_training(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    events = random_events(np.random.default_rng(1), 60)
    write_events(tmp_path / "events.h5", events, TOPOLOGY)
    run = (tmp_path / "events.h5", PartSettings(**settings), 1, tmp_path / "out.h5")
    collect_events(*run)
    complete = events.found(TOPOLOGY).all(axis=1)
    parts = ["all"] if "train" in settings else [f"fold{number}" for number in range(4)]
    fewest = min(int(complete[read_part(tmp_path / "out.h5", f"{part}/train", 60)].sum()) for part in parts)
    collect_events(*run, complete_events=fewest)
    (tmp_path / "out.h5").unlink()
    with pytest.raises(InputError, match=rf"events\.h5: {fewest} of the .*/train' .* {fewest + 1} are asked for"):
        collect_events(*run, complete_events=fewest + 1)
    assert not (tmp_path / "out.h5").exists()
    # Sculpting trains nothing.
    collect_events(run[0], PartSettings(test_only=True), 1, run[3], complete_events=1000)


def brute_match(jets: np.ndarray, partons: np.ndarray, radius: float) -> list[int]:
    """Nearest pair first, by loops over one event."""
    pairs = []
    for p, parton in enumerate(partons):
        for j, jet in enumerate(jets):
            turn = (parton[1] - jet[1] + np.pi) % (2 * np.pi) - np.pi
            pairs.append((float(np.hypot(parton[0] - jet[0], turn)), p, j))
    found, taken = [-1] * len(partons), set()
    for distance, p, j in sorted(pairs):
        if distance < radius and found[p] < 0 and j not in taken:
            found[p] = j
            taken.add(j)
    return found


def test_partons_are_matched_as_by_loops() -> None:
    rng = np.random.default_rng(4)
    jets = [rng.uniform(-3, 3, (rng.integers(0, 9), 2)) for _ in range(60)]
    partons = [rng.uniform(-3, 3, (rng.integers(0, 7), 2)) for _ in range(60)]
    owners = [np.repeat(np.arange(60), [len(item) for item in items]) for items in (jets, partons)]
    flat = [np.concatenate(items) for items in (jets, partons)]
    found = match_partons(owners[0], *flat[0].T, owners[1], *flat[1].T, 2.0)
    starts = np.cumsum([0, *(len(item) for item in jets)])
    expected = [
        jet + starts[event] if jet >= 0 else -1
        for event in range(60)
        for jet in brute_match(jets[event], partons[event], 2.0)
    ]
    assert found.tolist() == expected
    assert (found >= 0).sum() > 50


def test_efficiencies_have_their_definitions() -> None:
    targets = np.array([[0, 1, 2, 3, 4, 5]] * 4 + [[0, 1, 2, 3, -1, 5]] * 2 + [[-1] * 6] * 2)
    given = np.array(
        [
            [3, 5, 4, 0, 2, 1],  # tops and light quarks exchanged: right
            [0, 1, 2, 3, 4, 6],  # one right
            [1, 0, 2, 4, 3, 5],  # b and light exchanged: none right
            [0, 1, 2, 3, 4, 5],
            [6, 7, 8, 0, 1, 2],  # the one that is there is right
            [0, 2, 3, 1, 4, 5],
            [0, 1, 2, 3, 4, 5],
            [0, 1, 2, 3, 4, 5],
        ]
    )
    correct = correct_particles(given, targets, TOPOLOGY)
    found = np.stack([(targets[:, :3] >= 0).all(axis=1), (targets[:, 3:] >= 0).all(axis=1)], axis=1)
    assert correct.sum(axis=1).tolist() == [2, 1, 0, 2, 1, 0, 0, 0]
    assert event_efficiency(correct, found).value == pytest.approx(2 / 4)
    assert particle_efficiency(correct, found, 2).value == pytest.approx(5 / 8)
    assert particle_efficiency(correct, found, 1).value == pytest.approx(1 / 2)
    assert event_purity(correct, found).value == pytest.approx(2 / 8)
    # Two of four, with one more that is right and one that is wrong.
    assert event_efficiency(correct, found).uncertainty == pytest.approx(np.sqrt(0.25 / 7))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"exchangeable": [["t1", "t3"]]}, "no particle 't3'"),
        ({"exchangeable": [["t1", "h"]]}, "do not decay alike"),
        ({"particles": {"t1": {"daughters": ["b"], "exchangeable": [["b", "q"]]}}}, "no daughter 'q'"),
    ],
)
def test_an_impossible_topology_is_refused(change: dict[str, object], said: str) -> None:
    top = {"daughters": ["b", "q1", "q2"], "exchangeable": [["q1", "q2"]]}
    whole = {"particles": {"t1": top, "t2": top, "h": {"daughters": ["b1", "b2"]}}}
    with pytest.raises(Exception, match=said):
        parse(EventTopology, whole | change)
