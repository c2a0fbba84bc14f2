"""Which events a network assigns: folds become one assignment, and events of its training are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from assignment_files import TRAINING, random_events, save_untrained, write_collected

from cloudchamber.errors import InputError
from cloudchamber.studies.assignment.assign import assign_events
from cloudchamber.studies.assignment.assignment_file import read_assignments
from cloudchamber.studies.assignment.collect import collect_events
from cloudchamber.studies.assignment.event_file import read_events, write_events
from cloudchamber.studies.assignment.known_events import KNOWN, lowest_fingerprints, refuse_known_events
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.settings import (
    ChiSquareSettings,
    PartSettings,
)
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR
from cloudchamber.studies.assignment.train import train_assignment


def test_folds_become_one_assignment(tmp_path: Path) -> None:
    path = write_collected(tmp_path / "events.h5", 60, folds=3)
    entry = {"name": "spatter", "seed": 1, "trained_on": "published", "training_events": None}
    models = [{**entry, "part": f"fold{n}", **save_untrained(tmp_path, n + 1)} for n in range(3)]
    assign_events(path, {"part": None, "models": models}, ChiSquareSettings(), 0, tmp_path / "out.h5")
    (made,) = [item for item in read_assignments(tmp_path / "out.h5") if item.is_trained]
    assert np.array_equal(made.rows, np.arange(60))
    assert made.complete_events == 32
    assert ((made.jets >= 0).sum(axis=1) == 6).all()


def test_events_that_a_network_was_trained_with_are_refused(tmp_path: Path) -> None:
    """In whatever file they are, and whatever order their jets have."""
    events = write_collected(tmp_path / "events.h5")
    settings = AssignmentTrainingSettings.model_validate(TRAINING)
    outputs = [tmp_path / name for name in ("weights", "description", "history")]
    train_assignment(events, settings, 1, "all", None, tmp_path / "state", *outputs)
    entry = {"name": "spatter", "seed": 1, "trained_on": "own", "training_events": None}
    entry |= {"weights": str(outputs[0]), "description": str(outputs[1])}

    def assigned(source: Path, part: str | None) -> None:
        files = {"part": None, "models": [{**entry, "part": part}]}
        assign_events(source, files, ChiSquareSettings(), 0, tmp_path / "out.h5")

    assigned(events, "all")
    (tmp_path / "out.h5").unlink()
    with pytest.raises(InputError, match=r"events\.h5: the network .* was trained or watched with [3-6]\d% of"):
        assigned(events, None)
    # Split otherwise, some of them are test events; the jets of another program may come in another order.
    other = read_events(tmp_path / "source_events.h5", ALL_HADRONIC_TOP_PAIR)
    jets, targets = other.jets.copy(), other.targets.copy()
    jets[:, :2], targets[targets == 0], targets[other.targets == 1] = jets[:, 1::-1], 1, 0
    turned = replace(other, jets=jets, targets=targets)
    write_events(tmp_path / "turned.h5", turned, ALL_HADRONIC_TOP_PAIR)
    for source in ("source_events", "turned"):
        split = tmp_path / f"split_{source}.h5"
        collect_events(tmp_path / f"{source}.h5", PartSettings(train=0.3, validation=0.1), 2, split)
        with pytest.raises(InputError, match="was trained or watched with"):
            assigned(split, "all")
    assert not (tmp_path / "out.h5").exists()
    assigned(write_collected(tmp_path / "others.h5", 70), None)


def test_few_hashes_of_many_events_tell_what_share_is_known(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    events = random_events(rng, 12_000)
    training = {KNOWN: lowest_fingerprints(events[np.arange(8_000)])}
    assert len(training[KNOWN]) == 1024
    name = Path("model.json")
    refuse_known_events(name, training, name, events[np.arange(8_000, 12_000)])
    with pytest.raises(InputError, match=r"with (4[6-9]|5[0-4])% of the 8000 events"):
        refuse_known_events(name, training, name, events[np.arange(4_000, 12_000)])
    with pytest.raises(InputError, match="of the 100 events"):
        refuse_known_events(name, training, name, events[np.arange(100)])
    assert capsys.readouterr().err == ""
    refuse_known_events(name, {}, name, events[np.arange(100)])
    assert "nothing says which events the network was trained with" in capsys.readouterr().err


def test_one_network_under_two_seeds_is_refused(tmp_path: Path) -> None:
    path = write_collected(tmp_path / "events.h5", 40)
    entry = {"name": "spatter", "trained_on": "own", "training_events": None, "part": None, **save_untrained(tmp_path)}
    models = [{**entry, "seed": seed} for seed in (1, 2)]
    with pytest.raises(InputError, match=r"another training of 'spatter' is that of .*network1\.safetensors"):
        assign_events(path, {"part": None, "models": models}, ChiSquareSettings(), 0, tmp_path / "out.h5")
    assert not (tmp_path / "out.h5").exists()
    # A point of the learning curve is another model.
    models[1]["training_events"] = 10
    assign_events(path, {"part": None, "models": models}, ChiSquareSettings(), 0, tmp_path / "out.h5")
