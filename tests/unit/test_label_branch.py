"""Labels of events, from a branch of the ROOT file to the classes of the tagging study."""

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
from root_files import one_jet, random_towers, write_delphes

from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.data import SplitSettings
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings

EVENTS = 60
RECLUSTERED = {"kind": "reclustered", "jets_per_event": 3, "pt_window": [5.0, 1e5]}


def ingested(path: Path, clouds: dict[str, Any], branch: str, **settings: Any) -> Clouds:
    chosen = {"clouds": clouds, "max_particles": 30, "label_branch": branch, "step_size": "1 kB", **settings}
    ingest([path], IngestionSettings.model_validate(chosen), path.with_suffix(".h5"))
    return read_clouds(path.with_suffix(".h5"))


def write_labelled(path: Path, towers: dict[str, Any], labels: np.ndarray) -> Path:
    """Write towers with a plain branch ``label``."""
    leaves = {leaf: ak.Array([np.float32(values) for values in lists]) for leaf, lists in towers.items()}
    arrays = {"Tower": ak.zip(leaves), "label": labels}
    with uproot.recreate(path) as file:
        file.mktree(
            "Delphes",
            {"Tower": arrays["Tower"].type, "label": labels.dtype},
            field_name=lambda outer, inner: inner if outer == "" else f"{outer}.{inner}",
            counter_name=lambda counted: f"{counted}_size",
        )
        file["Delphes"].extend(arrays)
    return path


@pytest.mark.parametrize("dtype", ["i4", "u1", "f4", "bool"])
def test_a_plain_branch_labels_all_jets_of_its_event(tmp_path: Path, rng: np.random.Generator, dtype: str) -> None:
    labels = rng.integers(2, size=EVENTS).astype(dtype)
    path = write_labelled(tmp_path / "a.root", random_towers(rng, EVENTS), labels)
    clouds = ingested(path, RECLUSTERED, "label")
    assert [column.name for column in clouds.label_columns] == ["file", "event", "jet", "class"]
    assert clouds.label("jet").max() > 0
    assert clouds.label("class").tolist() == [int(labels[event]) for event in clouds.label("event")]
    assert set(clouds.label("class")) == {0, 1}


@pytest.mark.parametrize("kind", ["events", "stored", "reclustered"])
def test_a_leaf_with_one_entry_per_event(tmp_path: Path, rng: np.random.Generator, kind: str) -> None:
    towers = random_towers(rng, EVENTS, 20)
    towers["JetIndex"] = [[0] * len(values) for values in towers["ET"]]
    collections = {
        "Tower": towers,
        "Jet": one_jet(towers),
        "Event": {"Class": [[3 * event - 20] for event in range(EVENTS)]},
    }
    clouds = ingested(write_delphes(tmp_path / "a.root", collections), {"kind": kind}, "Event.Class")
    assert len(clouds) >= EVENTS - 5
    np.testing.assert_array_equal(clouds.label("class"), 3 * clouds.label("event") - 20)


def test_labels_stay_with_their_events_where_others_are_left_out(tmp_path: Path, rng: np.random.Generator) -> None:
    towers = random_towers(rng, EVENTS, 20)
    for event in (0, 7, 8):
        towers["ET"][event][0] = float("nan")
    path = write_labelled(tmp_path / "a.root", towers, np.arange(EVENTS) ** 2)
    clouds = ingested(path, {"kind": "events"}, "label", on_bad_event="skip")
    assert len(clouds) == EVENTS - 3
    np.testing.assert_array_equal(clouds.label("class"), clouds.label("event") ** 2)


def test_without_a_branch_there_is_no_class(tmp_path: Path, rng: np.random.Generator) -> None:
    path = write_labelled(tmp_path / "a.root", random_towers(rng, 5), np.arange(5))
    ingest([path], IngestionSettings.model_validate({"clouds": RECLUSTERED, "max_particles": 3}), tmp_path / "a.h5")
    assert [column.name for column in read_clouds(tmp_path / "a.h5").label_columns] == ["file", "event", "jet"]


def test_classes_of_a_branch_are_those_of_the_tagging_study(tmp_path: Path, rng: np.random.Generator) -> None:
    labels = rng.integers(3, size=EVENTS)
    path = write_labelled(tmp_path / "a.root", random_towers(rng, EVENTS), labels)
    clouds = ingested(path, RECLUSTERED, "label")
    classes = tuple(
        JetClassSettings(name=name, title=name, file=str(tmp_path / "a.h5"), label=label)
        for name, label in (("two", 2), ("none", 0))
    )
    windows = {"pt_window": (1.0, 1e5), "mass_window": (0.0, 1e5), "eta_max": 10.0}
    split = SplitSettings(train=0.5, validation=0.2)
    settings = TaggingJetsSettings(classes=classes, flat=False, max_particles=30, split=split, **windows)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    for position, label in enumerate((2, 0)):
        expected = clouds.feature("jet_pt")[labels[clouds.label("event")] == label]
        np.testing.assert_array_equal(jets.feature("jet_pt")[jets.label("class") == position], expected)


@pytest.mark.parametrize(
    ("branch", "message"),
    [
        ("Event.Cls", r"no branch 'Event.Cls'; 'Event' has \['Event.Class', 'Event.NaN'"),
        ("label", "no branch 'label'; collections there are"),
        ("Event.Share", r"branch 'Event.Share' is 0.5 in entry 1, expected a whole number"),
        ("Tower.ET", "branch 'Tower.ET' has . values in entry 0, not one"),
        ("Event.NaN", "branch 'Event.NaN' is nan in entry 1, expected a whole number"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path: Path, branch: str, message: str) -> None:
    towers = {leaf: [[10.0, 0.5], [1.0]] for leaf in ("ET", "Eta", "Phi")}
    event = {"Class": [[1], [2]], "Share": [[1.0], [0.5]], "NaN": [[1.0], [float("nan")]]}
    path = write_delphes(tmp_path / "a.root", {"Tower": towers, "Event": event})
    with pytest.raises(InputError, match=message) as caught:
        ingested(path, {"kind": "events"}, branch)
    assert str(path) in str(caught.value)
    assert not path.with_suffix(".h5").exists()


def test_a_file_without_good_labels_can_be_skipped(tmp_path: Path, rng: np.random.Generator) -> None:
    good = write_labelled(tmp_path / "good.root", random_towers(rng, 5), np.arange(5))
    bad = write_labelled(tmp_path / "bad.root", random_towers(rng, 5), np.arange(5) / 2)
    settings = {"clouds": {"kind": "events"}, "max_particles": 3, "label_branch": "label", "on_bad_file": "skip"}
    ingest([good, bad], IngestionSettings.model_validate(settings), tmp_path / "a.h5")
    clouds = read_clouds(tmp_path / "a.h5")
    assert clouds.label("class").tolist() == [0, 1, 2, 3, 4]
    assert "entry 1" in clouds.meta["files_skipped"][str(bad)]
