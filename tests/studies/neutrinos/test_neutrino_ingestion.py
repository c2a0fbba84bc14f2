"""Raw files to clouds of pixels: places, parts, and what is refused of events before any training."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from neutrino_files import MAPS, SIMULATION

from cloudchamber.errors import InputError
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
from cloudchamber.studies.neutrinos.event_file import EventWriter, read_events
from cloudchamber.studies.neutrinos.events import Events
from cloudchamber.studies.neutrinos.ingest import ingest
from cloudchamber.studies.neutrinos.names import PRONGS, prong_class
from cloudchamber.studies.neutrinos.settings import (
    DetectorSettings,
    MapSettings,
    SimulationSettings,
)
from cloudchamber.studies.neutrinos.simulate import simulate

DETECTOR = DetectorSettings()


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pythia8mc", reason="Pythia is not installed")
    path = tmp_path_factory.mktemp("raw") / "0.root"
    simulate(parse(SimulationSettings, SIMULATION), 0, 3, path)
    return path


def _ingested(raw: Path, folder: Path, **changes: Any) -> Path:
    ingest([raw], parse(MapSettings, {**MAPS, **changes}), DETECTOR, 1, folder / "events.h5")
    return folder / "events.h5"


def test_hits_keep_their_place_about_the_vertex(raw: Path, tmp_path: Path) -> None:
    (events,) = read_events(raw)
    clouds = read_event_clouds(_ingested(raw, tmp_path))
    assert len(clouds) == len(events) == 60
    np.testing.assert_array_equal(clouds.interaction, events.interaction)
    for row in range(0, 60, 7):
        hits, expected = clouds.hits(row), []
        of_event = events.hits[events.hits.event == row]
        plane = int(events.found[row, 2] // DETECTOR.plane_pitch)
        for number in range(len(of_event)):
            view = of_event.view[number]
            centre = int(np.floor(events.found[row, view] / DETECTOR.cell_width + DETECTOR.cells / 2))
            at = of_event.plane[number] - plane + 10, of_event.cell[number] - centre + 40
            if 0 <= at[0] < 100 and 0 <= at[1] < 80:
                prong = of_event.prong[number] if of_event.prong[number] < 6 else -1
                expected.append((view, *at, of_event.energy[number], prong))
        np.testing.assert_allclose(hits, np.array(expected, np.float32).reshape(-1, 5), rtol=1e-6)
        codes = events.prongs.pdg[(events.prongs.event == row) & events.prongs.found][:6]
        found = clouds.prong_class[row][clouds.prong_mask[row]]
        assert [list(PRONGS)[number] for number in found] == [prong_class(int(code)) for code in codes]
    # Whatever is visible is in a prong of the cloud or in the rest.
    visible = np.bincount(events.prongs.event, events.prongs.visible, minlength=60)
    np.testing.assert_allclose(clouds.truth[..., 0].sum(axis=1) + clouds.rest.sum(axis=1), visible, rtol=1e-4)
    assert clouds.meta["read"]["hits"] - clouds.meta["left_out"]["hits"] == len(clouds.points)


def test_prongs_beyond_the_largest_number_lose_their_hits_to_none(raw: Path, tmp_path: Path) -> None:
    clouds = read_event_clouds(_ingested(raw, tmp_path, prongs=1))
    assert clouds.points[:, 4].max() <= 0
    assert clouds.meta["left_out"]["prongs"] > 0


def test_parts_share_no_event(raw: Path, tmp_path: Path) -> None:
    parts = read_event_clouds(_ingested(raw, tmp_path)).parts
    assert sorted(np.concatenate(list(parts.values()))) == list(range(60))


def test_the_same_seed_gives_the_same_events(raw: Path, tmp_path: Path) -> None:
    simulate(parse(SimulationSettings, SIMULATION), 0, 3, tmp_path / "again.root")
    with uproot.open(raw) as first, uproot.open(tmp_path / "again.root") as second:
        for name, branch in first["events"].items():
            assert repr(branch.array().to_list()) == repr(second["events"][name].array().to_list())


def test_another_detector_is_refused(raw: Path, tmp_path: Path) -> None:
    other = DetectorSettings(planes=90)
    with pytest.raises(InputError, match="events of another detector"):
        ingest([raw], parse(MapSettings, MAPS), other, 1, tmp_path / "events.h5")
    assert not (tmp_path / "events.h5").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"HitXZ.plane": None}, "no branch 'HitXZ.plane'"),
        ({"HitXZ.prong": 99}, "branch 'HitXZ.prong': event 0 has no prong 99"),
        ({"HitYZ.energy": 0}, "branch 'HitYZ.energy': event 0 has a hit without energy"),
        ({"Reconstructed.y": np.nan}, "branch 'Reconstructed.y' of event 0 is nan, expected a finite number"),
        ({"Event.neutrino_energy": 0}, "branch 'Event.neutrino_energy' of event 0 is 0, expected a positive number"),
        ({"Event.interaction": 3}, "branch 'Event.interaction' of event 0 is 3, expected 0 (numu_cc) or 1 (nue_cc)"),
        ({"Prong.length": np.inf}, "branch 'Prong.length': event 0 has a prong with a value that is not finite"),
    ],
)
def test_wrong_files_are_one_line(raw: Path, tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with uproot.open(raw) as file:
        arrays = {name: branch.array() for name, branch in file["events"].items() if not name.startswith("n")}
    for name, value in change.items():
        arrays[name] = arrays[name] * 0 + value if value is not None else None
    path = tmp_path / "wrong.root"
    with uproot.recreate(path) as file:
        kept = {name: array for name, array in arrays.items() if array is not None}
        tree = file.mktree("events", {name: array.type.content for name, array in kept.items()})
        tree.extend(kept)
    with pytest.raises(InputError, match=re.escape(message)):
        list(read_events(path))


def _weighing(raw: Path, path: Path, weights: np.ndarray, name: str = "Event.weight") -> Path:
    """Write the events of a file with weights beside them, as those of a generator with a flux have."""
    with uproot.open(raw) as file:
        arrays = {name: branch.array() for name, branch in file["events"].items() if not name.startswith("n")}
    arrays[name] = ak.Array(weights)
    with uproot.recreate(path) as file:
        file.mktree("events", {name: array.type.content for name, array in arrays.items()}).extend(arrays)
    return path


@pytest.mark.parametrize("name", ["Event.weight", "Event.Weight"])
def test_events_that_weigh_differently_are_refused(name: str, raw: Path, tmp_path: Path) -> None:
    (events,) = read_events(raw)
    equal, other = (
        _weighing(raw, tmp_path / f"{weight:g}.root", np.full(len(events), weight), name) for weight in (0.5, 2.0)
    )
    _ingested(equal, tmp_path)
    rising = _weighing(raw, tmp_path / "rising.root", np.linspace(1, 2, len(events)), name)
    for files, message in (
        ([rising], rf"rising\.root: branch '{name}': events do not all weigh the same, which"),
        ([raw, equal, other], rf"2\.root: branch '{name}': events do not all weigh the same as those of .*0\.5\.root"),
    ):
        with pytest.raises(InputError, match=message):
            ingest(files, parse(MapSettings, MAPS), DETECTOR, 1, tmp_path / "weighing.h5")
        assert not (tmp_path / "weighing.h5").exists()


def _written(path: Path, events: Events) -> Path:
    with EventWriter(path, {}) as file:
        file.append(events)
    return path


def test_events_in_other_units_are_refused(raw: Path, tmp_path: Path) -> None:
    (events,) = read_events(raw)
    hits = events.hits
    changed = {
        "add up to 0.000[3-9].* of the energy of its neutrino": replace(events, energy=1000 * events.energy),
        "add up to 0.01.* of the energy": replace(events, hits=replace(hits, energy=0.03 * hits.energy)),
        "hits are outside of the window": replace(events, found=10 * events.found),
        "is in plane 140, the detector of the settings has 0 to 139": replace(
            events, hits=replace(hits, plane=hits.plane + 1)
        ),
    }
    for number, (message, wrong) in enumerate(changed.items()):
        path = _written(tmp_path / f"{number}.root", wrong)
        with pytest.raises(InputError, match=rf"{number}\.root: .*{message}"):
            _ingested(path, tmp_path)
    assert not (tmp_path / "events.h5").exists()


@pytest.mark.parametrize("view", [0, 1])
def test_files_that_lack_a_view_are_refused(view: int, raw: Path, tmp_path: Path) -> None:
    """Half of the light is missing, which no unit tells."""
    (events,) = read_events(raw)
    kept = events.hits.view != view
    hits = replace(events.hits, **{name: values[kept] for name, values in vars(events.hits).items()})
    path, name = _written(tmp_path / "one.root", replace(events, hits=hits)), ("HitXZ", "HitYZ")[view]
    with pytest.raises(InputError, match=rf"one\.root: 0 of {int(kept.sum())} hits are in branch '{name}'"):
        ingest([raw, path], parse(MapSettings, MAPS), DETECTOR, 1, tmp_path / "events.h5")
    assert not (tmp_path / "events.h5").exists()


@pytest.mark.parametrize("where", ["'HitYZ'", "both views"])
def test_events_that_were_cut_are_said(
    where: str, raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As by a writer of arrays of one length, which leaves out the hits that have no room."""
    (events,) = read_events(raw)
    _ingested(_written(tmp_path / "whole.root", events), tmp_path)
    assert "were they cut" not in capsys.readouterr().err
    hits = events.hits
    concerned = (hits.view == 1) | (where == "both views")
    most = int(np.median(np.bincount(hits.event[concerned], minlength=60)))
    # Place of each hit among those of its event, the brightest first.
    order = np.lexsort((-hits.energy, ~concerned, hits.event))
    place = np.empty(len(hits), np.int64)
    place[order] = np.arange(len(hits)) - np.searchsorted(hits.event, hits.event[order])
    cut = replace(events, hits=hits[~concerned | (place < most)])
    _ingested(_written(tmp_path / "cut.root", cut), tmp_path)
    said = [line for line in capsys.readouterr().err.splitlines() if "were they cut" in line]
    assert len(said) == 1
    assert re.search(rf"3\d of 60 events in .*cut\.root have {most} hits in {where} and none has more", said[0])


def test_found_prongs_that_do_not_come_first_are_refused(raw: Path, tmp_path: Path) -> None:
    """Hits would be taken for those of another prong."""
    (events,) = read_events(raw)
    turned = np.lexsort((-np.arange(len(events.prongs)), events.prongs.event))
    path = _written(tmp_path / "turned.root", replace(events, prongs=events.prongs[turned]))
    with pytest.raises(InputError, match=r"turned\.root: branch 'Prong\.found': event \d+ has a found prong behind"):
        list(read_events(path))


def test_events_that_lack_an_interaction_are_refused_before_any_training(raw: Path, tmp_path: Path) -> None:
    (events,) = read_events(raw)
    path = _written(tmp_path / "two.root", replace(events, interaction=events.interaction // 2))
    with pytest.raises(InputError, match=r"the part 'train' has 0 events of 'nc' among 30, 2 or more of each"):
        _ingested(path, tmp_path)
    assert not (tmp_path / "events.h5").exists()


def test_an_event_and_its_copy_are_in_one_part(raw: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (events,) = read_events(raw)
    alone = read_event_clouds(_ingested(raw, tmp_path)).parts
    assert "identical" not in capsys.readouterr().err
    copy = _written(tmp_path / "copy.root", replace(events, number=events.number + 1000))
    link = tmp_path / "link.root"
    link.symlink_to(raw)
    ingest([raw, copy, link], parse(MapSettings, MAPS), DETECTOR, 1, tmp_path / "twice.h5")
    assert "WARNING: 60 of 120 events are identical to an earlier one" in capsys.readouterr().err
    for name, rows in read_event_clouds(tmp_path / "twice.h5").parts.items():
        assert sorted(rows) == sorted([*alone[name], *(alone[name] + 60)])


def test_events_without_hits_are_copies_of_nothing(raw: Path, tmp_path: Path) -> None:
    """Numbers of events begin anew in each file."""
    (events,) = read_events(raw)
    dark = replace(events, hits=events.hits[events.hits.event != 3])
    brighter = replace(dark, hits=replace(dark.hits, energy=1.01 * dark.hits.energy))
    paths = [_written(tmp_path / f"{name}.root", some) for name, some in (("a", dark), ("b", brighter))]
    ingest(paths, parse(MapSettings, MAPS), DETECTOR, 1, tmp_path / "events.h5")
    assert read_event_clouds(tmp_path / "events.h5").meta["identical_events"] == 0
