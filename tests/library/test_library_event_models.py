"""Models of assignment and neutrinos in the library do what the steps of the pipeline do with the same files."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stages import STAGES
from trained_models import TRAINED, maker, trained

import cloudchamber as cc
from cloudchamber.cli import main


def test_an_assignment_network_predicts_what_the_step_does(tmp_path: Path) -> None:
    from assignment_files import write_collected

    from cloudchamber.studies.assignment.assign import assign_events
    from cloudchamber.studies.assignment.assignment_file import read_assignments
    from cloudchamber.studies.assignment.event_file import read_events, read_part
    from cloudchamber.studies.assignment.settings import ChiSquareSettings
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    path = write_collected(tmp_path / "assignment_events.h5")
    maker(tmp_path)("assignment train", trained("network"))
    files = {option: str(tmp_path / "network" / name) for option, name in TRAINED.items()}
    entry = {"name": "spatter", "seed": 1, "trained_on": "own", "training_events": None, "part": "all", **files}
    assign_events(path, {"part": "all", "models": [entry]}, ChiSquareSettings(), 0, tmp_path / "assigned.h5")
    (expected,) = (item for item in read_assignments(tmp_path / "assigned.h5") if item.method == "spatter")
    events = read_events(path, ALL_HADRONIC_TOP_PAIR)
    rows = np.sort(read_part(path, "all/test", len(events)))
    model: Any = cc.load_model(tmp_path / "network")
    found = model.predict(events.jets[rows], events.mask[rows])
    for name in ("jets", "log_probability", "detection"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert len(model.partons) == found.jets.shape[1]
    np.testing.assert_array_equal(model.predict(events.jets[rows]).jets, found.jets)
    wrong = events.jets[rows].copy()
    wrong[0, 0, 4] = 0.5
    with pytest.raises(cc.InputError, match=r"^jets: column 4 \(btag\): no such jet in event 0: 0\.5, expected 0 or 1"):
        model.predict(wrong, events.mask[rows])
    # The same units and conventions as in files.
    for column, factor, message in (
        (0, 1000.0, r"^jets: column 0 \(pt\): the median pT of all jets is .*, expected GeV"),
        (3, 1000.0, r"^jets: column 3 \(mass\): the median mass of all jets is .*: expected GeV"),
        (2, 180 / np.pi, r"^jets: column 2 \(phi\): no such jet in event 0: .*, expected radians"),
    ):
        other = events.jets[rows].copy()
        other[:, :, column] *= factor
        with pytest.raises(cc.InputError, match=message):
            model.predict(other, events.mask[rows])
    with pytest.raises(cc.InputError, match=r"^mask: the jets of an event do not come first"):
        model.predict(events.jets[rows], events.mask[rows][:, ::-1])


def test_an_assignment_network_takes_azimuths_of_either_convention(tmp_path: Path) -> None:
    """The published inputs hold phi itself, and networks learn it from minus pi to pi."""
    from assignment_files import write_collected

    from cloudchamber.studies.assignment.event_file import read_events
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    events = read_events(write_collected(tmp_path / "assignment_events.h5"), ALL_HADRONIC_TOP_PAIR)
    command = STAGES["assignment train"].command(tmp_path, tmp_path / "network")
    place = command.index("--settings") + 1
    settings = json.loads(command[place])
    command[place] = json.dumps(settings | {"network": settings["network"] | {"inputs": "published"}})
    assert main(command) == 0
    for option, path in STAGES["assignment train"].paths(tmp_path / "network").items():
        if option in TRAINED:
            path.rename(tmp_path / TRAINED[option])
    model: Any = cc.load_model(tmp_path)
    turned = events.jets.copy()
    turned[..., 2] %= np.float32(2 * np.pi)
    found, expected = model.predict(turned, events.mask), model.predict(events.jets, events.mask)
    np.testing.assert_array_equal(found.jets, expected.jets)
    np.testing.assert_allclose(found.log_probability, expected.log_probability, atol=1e-4)


def test_a_network_of_neutrino_events_predicts_what_the_step_does(tmp_path: Path) -> None:
    from neutrino_files import NETWORK, write_random_events
    from stage import training_settings

    from cloudchamber.studies.neutrinos.classify import classify_events
    from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
    from cloudchamber.studies.neutrinos.score_file import read_scores

    path = write_random_events(tmp_path / "neutrinos.h5")
    network = {**NETWORK, "coarsen": 4}
    arguments = ["neutrinos", "train", str(path), "--settings"]
    arguments += [json.dumps({"network": network, "training": training_settings(10)}), "--seed", "3", "--state"]
    arguments += [str(tmp_path / "state"), "--history", str(tmp_path / "history.csv")]
    files = {option: str(tmp_path / "network" / name) for option, name in TRAINED.items()}
    assert main([*arguments, *(item for option, name in files.items() for item in (f"--{option}", name))]) == 0
    models = {"models": [{"name": "joint", "seed": 1, **files}]}
    classify_events(path, models, 0, tmp_path / "scores.h5")
    expected = read_scores(tmp_path / "scores.h5")
    events = read_event_clouds(path)
    rows = expected.rows
    offsets = events.offsets
    hits = np.concatenate([events.points[offsets[row] : offsets[row + 1]] for row in rows])
    prongs = events.prong_mask[rows].sum(axis=1)
    model: Any = cc.load_model(tmp_path / "network")
    found = model.predict(hits, events.counts[rows], prongs)
    np.testing.assert_array_equal(found.interaction, np.exp(expected.scores[0].event))
    there = events.prong_mask[rows]
    np.testing.assert_array_equal(found.prong[there], np.exp(expected.scores[0].prong)[there])
    assert np.isnan(found.prong[~there]).all()
    with pytest.raises(cc.InputError, match=r"^counts: add up to"):
        model.predict(hits[:-1], events.counts[rows], prongs)
    for unit in (events.window.mip, 1e3 * events.window.mip):
        with pytest.raises(cc.InputError, match=r"^hits: the median energy is .*, expected minimum ionising particles"):
            model.predict(hits * np.where(np.arange(5) == 3, unit, 1), events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^prongs: from 0 to 9, expected 0 to 3"):
        model.predict(hits, events.counts[rows], np.where(prongs == 3, 9, prongs))
    with pytest.raises(cc.InputError, match=r"^hits: a hit with a view that is none in event 0"):
        model.predict(np.where(np.arange(5) == 0, 7, hits), events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^hits: a view, plane, cell or number of a prong is not whole"):
        model.predict(hits + 0.5 * (np.arange(5) == 1), events.counts[rows], prongs)
    with pytest.raises(cc.InputError, match=r"^counts: -1 hits of an event"):
        model.predict(hits, np.where(np.arange(len(rows)) == 0, -1, events.counts[rows]), prongs)
