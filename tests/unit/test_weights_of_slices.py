"""Weights of slices: cross sections, slices in one file, files with a weight each."""

import re
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
from weighted_files import EVENTS, ingested, write_events

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.prepare import prepare
from cloudchamber.settings.data import PreparationSettings


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "clouds.h5"


def sliced(folder: Path, rng: np.random.Generator) -> list[Path]:
    """Return two files of a first slice, with weights of their own, and one of a second."""
    first = [write_events(folder / f"low_{i}.root", rng, 40, Weight=rng.exponential(size=40)) for i in range(2)]
    return [*first, write_events(folder / "high_0.root", rng, 80, Weight=np.full(80, 7.0))]


def test_weights_of_slices_add_up_to_their_cross_sections(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    files = sliced(tmp_path, rng)
    sections = {str(tmp_path / "low_*.root"): 1200.0, str(tmp_path / "high_0.root"): 3.0}
    made = ingested(files, output, clouds={"kind": "events"}, cross_sections=sections)
    # The files in sorted order: the high slice comes first.
    of_slice = np.where(made.label("file") == 0, "high", "low")
    for name, section in (("low", 1200.0), ("high", 3.0)):
        assert made.event_weight[of_slice == name].sum() == pytest.approx(section, rel=1e-5)
    assert made.feature_columns[-1].unit == "pb"
    assert made.meta["event_weights"]["sum"] == pytest.approx(1203)


def test_a_sample_and_its_extension_with_a_key_each_are_said(
    tmp_path: Path, output: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each adds up to the cross section of the process, and both together to twice of it."""
    files = [write_events(tmp_path / name, rng) for name in ("low.root", "low_extension.root", "high.root")]
    keys = {str(tmp_path / "low*.root"): 1430.0, str(files[2]): 21.7}
    ingested(files, output, clouds={"kind": "events"}, cross_sections=keys)
    assert "it counts twice" not in capsys.readouterr().err
    keys = {str(files[0]): 1430.0, str(files[1]): 1430.0, str(files[2]): 21.7}
    made = ingested(files, output, clouds={"kind": "events"}, cross_sections=keys)
    assert made.event_weight.sum() == pytest.approx(2 * 1430 + 21.7)
    said = f"WARNING: cross_sections are 1430 pb of '{files[0]}' and of '{files[1]}': if they are of one process"
    assert said in capsys.readouterr().err


def test_events_without_jets_count_for_the_cross_section(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    """The weights of the jets add up to the cross section of what was accepted."""
    path = write_events(tmp_path / "a.root", rng, Weight=rng.random(EVENTS))
    window = {"kind": "reclustered", "jets_per_event": 1, "pt_window": [60.0, 1e5]}
    made = ingested([path], output, clouds=window, cross_sections={str(path): 10.0})
    stored = np.asarray(ak.flatten(uproot.open(path)["Delphes"]["Event.Weight"].array()))
    accepted = np.unique(made.label("event"))
    assert 0 < len(accepted) < EVENTS
    assert made.event_weight.sum() == pytest.approx(10 * stored[accepted].sum() / stored.sum(), rel=1e-5)


def test_the_same_events_in_two_slices_are_found(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    """They have another weight in each."""
    path = write_events(tmp_path / "a.root", rng, Weight=np.ones(EVENTS))
    (tmp_path / "b.root").write_bytes(path.read_bytes())
    made = ingested([path, tmp_path / "b.root"], output, cross_sections={str(path): 1.0, str(tmp_path / "b.root"): 2.0})
    assert made.meta["identical_clouds"] == len(made) / 2
    assert set(made.event_weight) == set(np.array([1 / EVENTS, 2 / EVENTS], np.float32))
    prepare(output, PreparationSettings(event_weights="keep"), 1, tmp_path / "prepared.h5")
    kept = read_clouds(tmp_path / "prepared.h5", weighted=True)
    assert kept.meta["identical_clouds"] == len(made) / 2
    events = [set(kept.part(part).label("event")) for part in kept.indices]
    assert sum(map(len, events)) == len(set.union(*events))


def test_one_slice_of_equal_weights_has_no_column(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    path = write_events(tmp_path / "a.root", rng, Weight=np.ones(EVENTS))
    assert ingested([path], output, cross_sections={str(path): 10.0}).event_weight is None


def test_files_of_two_slices_or_none(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    files = sliced(tmp_path, rng)
    every, low, high = (str(tmp_path / pattern) for pattern in ("*.root", "low_*.root", "high_*.root"))
    with pytest.raises(SettingsError, match=r"cross_sections: both .* name the file .*low_0\.root"):
        ingested(files, output, cross_sections={every: 1.0, low: 2.0})
    with pytest.raises(SettingsError, match=r"cross_sections: no key names the file .*high_0\.root"):
        ingested(files, output, cross_sections={low: 2.0})
    with pytest.raises(SettingsError, match=r"names none of the files that are read"):
        ingested(files[:2], output, cross_sections={low: 2.0, high: 1.0})
    with pytest.raises(InputError, match=r"other_\*\.root: no file matches"):
        ingested(files, output, cross_sections={every: 1.0, str(tmp_path / "other_*.root"): 1.0})
    assert not output.exists()


def test_weights_that_add_up_to_nothing(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    path = write_events(tmp_path / "a.root", rng, Weight=np.resize([1.0, -1.0], EVENTS))
    with pytest.raises(InputError, match=r"a\.root: the weights of all events of '.*' add up to 0"):
        ingested([path], output, cross_sections={str(path): 1.0})


def test_slices_without_cross_sections_are_refused(tmp_path: Path, output: Path, rng: np.random.Generator) -> None:
    """Files that state very different cross sections, whose events all have the weight one."""

    def with_section(name: str, section: float, events: int = EVENTS) -> Path:
        leaves = {"Weight": np.ones(events), "CrossSection": section * (1 + 0.1 / np.arange(1, events + 1))}
        return write_events(tmp_path / name, rng, events, **leaves)

    low, high, other = with_section("low.root", 900.0), with_section("high.root", 3.0), with_section("b.root", 950.0)
    with pytest.raises(InputError, match=r"'Event\.CrossSection' is 3\.005 pb in .*high\.root, 901\.5 pb in "):
        ingested([low, high], output)
    for files, settings in (
        ([low, other], {}),
        ([low, high], {"cross_sections": "ignore"}),
        # A running sum of weights, as some generators write it.
        ([low, with_section("long.root", 9000.0, 10 * EVENTS)], {}),
        ([low, with_section("short.root", 3.0, EVENTS // 10)], {}),
    ):
        assert ingested(files, output, **settings).event_weight is None


@pytest.mark.parametrize("step", ["1 kB", "100 MB"])
def test_slices_that_were_put_into_one_file_are_refused(
    tmp_path: Path, output: Path, rng: np.random.Generator, step: str
) -> None:
    """As hadd does it: nothing but the cross section tells their events apart."""

    def of(name: str, *sections: np.ndarray) -> Path:
        section = np.concatenate(sections)
        return write_events(tmp_path / name, rng, len(section), Weight=np.ones(len(section)), CrossSection=section)

    # An estimate that gets better with each event.
    estimate = 1 + np.random.default_rng(1).normal(0, 0.3, 2 * EVENTS) / np.sqrt(np.arange(1, 2 * EVENTS + 1))
    slices = of("slices.root", 900 * estimate, 3 * estimate[:EVENTS], 900 * estimate)
    expected = r"slices\.root: 'Event\.CrossSection' is 2\.9\d* pb in 60 events, 9\d+\.?\d* pb in 120: slices were put"
    with pytest.raises(InputError, match=expected):
        ingested([slices], output, step_size=step)
    assert not output.exists()
    assert ingested([slices], output, step_size=step, cross_sections="ignore").event_weight is None
    # Several runs of one generator, the first events of which say little; and running sums of weights.
    good = of("good.root", 900 * estimate, np.array([90.0, 5000.0]), 900 * estimate)
    sums = of("sums.root", 9.0 * np.arange(1, EVENTS + 1), 9.0 * np.arange(1, 2 * EVENTS + 1))
    for path in (good, sums):
        assert ingested([path], output, step_size=step).event_weight is None


def test_cross_sections_of_another_ratio_than_files_state_are_said(
    tmp_path: Path, output: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys that were exchanged, or one in fb; files may have theirs in mb, corrected, or as running sums of weights."""

    def written(name: str, sections: np.ndarray) -> Path:
        return write_events(tmp_path / name, rng, len(sections), CrossSection=sections)

    low, high = written("low.root", np.full(EVENTS, 1.4e-6)), written("high.root", np.full(EVENTS, 2.2e-8))
    sums = [written(f"sums_{n}.root", 7.0 * np.arange(1, n * EVENTS + 1)) for n in (1, 20)]
    for files, sections, said in (
        ([low, high], (1430.0, 21.7), False),
        ([low, high], (2000.0, 10.0), False),
        ([low, high], (21.7, 1430.0), True),
        ([low, high], (1430.0, 21700.0), True),
        (sums, (1430.0, 21.7), False),
    ):
        keys = dict(zip(map(str, files), sections, strict=True))
        ingested(files, output, clouds={"kind": "events"}, cross_sections=keys)
        assert ("WARNING: cross_sections are" in (line := capsys.readouterr().err)) == said
        assert ("'Event.CrossSection' is 1.4e-06 and 2.2e-08 there" in line) <= said
    # One key for both slices.
    with pytest.raises(InputError, match="give each slice its cross section"):
        ingested([low, high], output, clouds={"kind": "events"}, cross_sections={str(tmp_path / "[lh]*.root"): 1451.7})


def test_slices_of_one_class_are_said(
    tmp_path: Path, output: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of several classes have cross sections of their own, and so have slices of one: no file says which."""
    files = [
        write_events(tmp_path / f"{name}.root", rng, Weight=np.ones(EVENTS), CrossSection=np.full(EVENTS, section))
        for name, section in (("low", 900.0), ("high", 3.0))
    ]
    ingested(files[:1], output, label_branch="Event.Weight")
    assert "WARNING" not in capsys.readouterr().err
    assert ingested(files, output, label_branch="Event.Weight").event_weight is None
    said = capsys.readouterr().err
    assert re.search(
        r"WARNING: 'Event\.CrossSection' is 3 pb in .*high\.root, 900 pb in .*low\.root: events of one", said
    )
    sections = {str(path): section for path, section in zip(files, (900.0, 3.0), strict=True)}
    assert ingested(files, output, label_branch="Event.Weight", cross_sections=sections).event_weight is not None
    assert "WARNING" not in capsys.readouterr().err


def test_weights_of_slices_that_are_their_cross_sections_are_refused(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    """As generators write them whose mean weight is the cross section: ten times the events would weigh ten times."""

    def sample(name: str, section: float, weight: float, events: int) -> Path:
        leaves = {"Weight": np.full(events, weight), "CrossSection": np.full(events, section)}
        return write_events(tmp_path / name, rng, events, **leaves)

    low, high = sample("low.root", 900.0, 900.0, 600), sample("high.root", 3.0, 3.0, 60)
    expected = r"^event weights add up to 180 in files of 3 pb, as .*high\.root, and to 540000 in files of 900 pb, as "
    with pytest.raises(InputError, match=expected):
        ingested([low, high], output)
    sections = {str(low): 900.0, str(high): 3.0}
    made = ingested([low, high], output, clouds={"kind": "events"}, cross_sections=sections)
    assert made.event_weight is not None
    assert made.event_weight.sum() == pytest.approx(903.0, rel=1e-5)
    assert ingested([low, high], output, cross_sections="ignore").event_weight is not None
    # Weights that add up to the cross section are right as they are.
    normalised = sample("b.root", 3.0, 3.0 / 60, 60)
    assert ingested([sample("a.root", 900.0, 900.0 / 600, 600), normalised], output).event_weight is not None
    # So are those of files of one slice, all of which add up to it.
    parts = [sample(f"part_{number}.root", 900.0 + number, 900.0 / 1800, 600) for number in range(3)]
    assert ingested([*parts, normalised], output).event_weight is not None
    with pytest.raises(
        InputError, match=r"^event weights add up to 3 in files of 3 pb, .* to 2701.8 in files of 900 pb"
    ):
        ingested([*(sample(f"run_{n}.root", 900.0, 1.5 + 1e-3 * n, 600) for n in range(3)), normalised], output)


def test_weights_of_slices_that_add_up_to_a_few_tens_of_percent_more_are_refused(
    tmp_path: Path, output: Path, rng: np.random.Generator
) -> None:
    """Three runs of a slice beside two of another, each of which adds up to its cross section; 100 events beside 60."""

    def sample(name: str, section: float, weight: float, events: int = EVENTS) -> Path:
        leaves = {"Weight": np.full(events, weight), "CrossSection": np.full(events, section)}
        return write_events(tmp_path / name, rng, events, **leaves)

    low = [sample(f"low_{run}.root", 900.0 + run, (900.0 + run) / EVENTS) for run in range(3)]
    high = [sample(f"high_{run}.root", 3.0, 3.0 / EVENTS) for run in range(3)]
    with pytest.raises(InputError, match=r"^event weights add up to 6 in files of 3 pb, .* to 2703 in files of 900 pb"):
        ingested([*low, *high[:2]], output)
    with pytest.raises(InputError, match=r"^event weights add up to 180 in files of 3 pb, .* to 90000 in files of 900"):
        ingested([sample("long.root", 900.0, 900.0, 100), sample("short.root", 3.0, 3.0)], output)
    assert not output.exists()
    # As many runs of both, and a run that lost some of its events on the way.
    assert ingested([*low, *high], output).event_weight is not None
    shorter = sample("shorter.root", 3.0, 2.8 / EVENTS)
    assert ingested([low[0], shorter], output).event_weight is not None


def test_files_with_a_weight_each_and_no_cross_section_are_said(
    tmp_path: Path, output: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As slices in NanoAOD, whose weights are their cross sections. Whoever has normalised them has them right."""
    signs = np.where(np.arange(EVENTS) % 5 == 0, -1.0, 1.0)
    low, other, high = (
        write_events(tmp_path / f"{name}.root", rng, Weight=weights)
        for name, weights in (("low", 900.0 * signs), ("other", np.full(EVENTS, 930.0)), ("high", np.full(EVENTS, 3.0)))
    )
    said = r"WARNING: all event weights are 3 in .*high\.root and 930 in .*other\.root, signs aside, and no cross"
    made = ingested([low, other, high], output)
    assert re.search(said, capsys.readouterr().err)
    assert made.event_weight is not None
    sections = {str(low): 900.0, str(other): 900.0, str(high): 3.0}
    for files, settings in (
        ([low, other], {}),
        ([low, high], {"cross_sections": "ignore"}),
        ([low, high], {"cross_sections": {str(path): sections[str(path)] for path in (low, high)}}),
        # Weights of each event, as of a biased generation.
        ([low, write_events(tmp_path / "biased.root", rng, Weight=rng.exponential(1, EVENTS))], {}),
    ):
        ingested(files, output, **settings)
        assert "WARNING" not in capsys.readouterr().err
