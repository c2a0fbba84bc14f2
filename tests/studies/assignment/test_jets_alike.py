"""How the jets of two samples of events were made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from assignment_files import TRAINING, random_events, write_collected

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.hdf5 import create_hdf5
from cloudchamber.library.assignment_model import AssignmentModel
from cloudchamber.preparation.jet_events import TARGET_COLUMNS
from cloudchamber.studies.assignment.assign import assign_events
from cloudchamber.studies.assignment.collect import collect_events
from cloudchamber.studies.assignment.evaluate import evaluate_assignments
from cloudchamber.studies.assignment.event_file import Events, read_events, write_events
from cloudchamber.studies.assignment.jets_alike import MADE, jets_made, say_other_jets
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.settings import ChiSquareSettings, EvaluationSettings, PartSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR
from cloudchamber.studies.assignment.train import train_assignment


def collected(path: Path, size: str = "0.1 x 0.1", **clouds: Any) -> Path:
    settings = {"clouds": {"kind": "jet_events", "collection": "Jet", "b_tag_bit": 0, **clouds}, "max_particles": 12}
    of_clouds = {
        "provenance": {"settings": settings},
        "constituents": {"collections": ["Tower"]},
        "cells": {"Tower": {size: 400}},
    }
    meta = {MADE: jets_made(json.loads(json.dumps(of_clouds)))}
    with create_hdf5(path) as output:
        output.file.create_dataset("META", data=np.frombuffer(json.dumps(meta).encode(), "u1"))
    return path


def test_a_background_whose_jets_were_made_otherwise_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = collected(tmp_path / "own.h5", partons="top_pair")
    say_other_jets(collected(tmp_path / "alike.h5", partons="none"), own)
    assert not capsys.readouterr().err
    say_other_jets(collected(tmp_path / "tags.h5", b_tag_bit=1), own)
    said = f"tags.h5: jets made with other settings than those of {own}: b_tag_bit is 1, and not 0\n"
    assert capsys.readouterr().err.endswith(said)
    say_other_jets(collected(tmp_path / "card.h5", "0.017 x 0.017"), own)
    assert "card.h5: cells of Tower have the size 0.017 x 0.017 in eta and phi, " in capsys.readouterr().err


def collected_from_clouds(folder: Path, rng: np.random.Generator, name: str, b_tag_bit: int) -> Path:
    """Return events that were collected from clouds of kind jet_events."""
    events = random_events(rng, 60)
    clouds = Clouds(
        points=events.jets,
        mask=events.mask,
        features=np.stack([events.jets[:, :, 0].sum(axis=1), events.mask.sum(axis=1)], axis=1, dtype=np.float32),
        labels=events.targets,
        point_columns=tuple(map(Column, ("pt", "eta", "phi", "Mass", "BTag"))),
        feature_columns=(Column("sum_pt"), Column("n_constituents")),
        label_columns=TARGET_COLUMNS,
        meta={"provenance": {"settings": {"clouds": {"kind": "jet_events", "b_tag_bit": b_tag_bit}}}},
    )
    write_clouds(folder / f"{name}_clouds.h5", clouds)
    path = folder / f"{name}.h5"
    collect_events(folder / f"{name}_clouds.h5", PartSettings(train=0.5, validation=0.1), 1, path)
    return path


def test_events_that_are_collected_from_clouds_keep_how_their_jets_were_made(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = []
    for name, bit in (("own", 0), ("background", 1)):
        path, output = collected_from_clouds(tmp_path, rng, name, bit), tmp_path / f"{name}_assigned.h5"
        assign_events(path, {"part": None, "models": []}, ChiSquareSettings(), 0, output)
        samples.append({"name": name, "events": str(path), "assignments": str(output)})
    tables = {name: tmp_path / f"{name}.csv" for name in ("metrics", "significance", "masses", "calibration")}
    files = {"samples": samples[:1], "background": samples[1], "cost": None}
    evaluate_assignments(files, EvaluationSettings(), 1, **tables)
    said = f"WARNING: {samples[1]['events']}: jets made with other settings than those of {samples[0]['events']}: b_tag"
    assert said in capsys.readouterr().err


def test_events_whose_jets_were_made_otherwise_than_those_of_a_training_are_said(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    own, alike = (collected_from_clouds(tmp_path, rng, name, 0) for name in ("own", "alike"))
    other = collected_from_clouds(tmp_path, rng, "other", 1)
    models = []
    for seed in (1, 2):
        outputs = [tmp_path / f"{name}{seed}" for name in ("weights", "description", "history")]
        settings = AssignmentTrainingSettings.model_validate(TRAINING)
        train_assignment(own, settings, seed, "all", None, tmp_path / "state", *outputs)
        entry = {"name": "spatter", "seed": seed, "trained_on": "own", "training_events": None, "part": None}
        models.append({**entry, "weights": str(outputs[0]), "description": str(outputs[1])})

    def said_of(events: Path) -> str:
        capsys.readouterr()
        assign_events(events, {"part": None, "models": models}, ChiSquareSettings(), 0, tmp_path / "out.h5")
        return capsys.readouterr().err

    assert "WARNING" not in said_of(alike)
    line = f"WARNING: {other}: jets made with other settings than those of the training of {tmp_path / 'description1'}"
    assert said_of(other).count("WARNING") == 1
    assert f"assignment assign: {line}: b_tag_bit is 1, and not 0\n" in said_of(other)


def of_hardest_jets(events: Events, most: int) -> Events:
    targets = np.where(events.targets < most, events.targets, -1)
    return Events(events.jets[:, :most], events.mask[:, :most], targets)


def test_events_of_which_some_were_cut_to_their_hardest_jets_are_said(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, cut = tmp_path / "whole.h5", tmp_path / "cut.h5"
    events = random_events(rng, 90)
    write_events(whole, events, ALL_HADRONIC_TOP_PAIR)
    write_events(cut, of_hardest_jets(random_events(rng, 90), 7), ALL_HADRONIC_TOP_PAIR)
    trained = write_collected(tmp_path / "trained.h5")
    outputs = [tmp_path / name for name in ("weights", "description", "history")]
    settings = AssignmentTrainingSettings.model_validate(TRAINING)
    train_assignment(trained, settings, 1, "all", None, tmp_path / "state", *outputs)
    entry = {"name": "spatter", "trained_on": "own", "training_events": None, "part": None}
    models = [{**entry, "seed": 1, "weights": str(outputs[0]), "description": str(outputs[1])}]
    samples = []
    for path, made in ((whole, models), (cut, models)):
        capsys.readouterr()
        output = path.with_name(f"assigned_{path.name}")
        assign_events(path, {"part": None, "models": made}, ChiSquareSettings(), 0, output)
        said = capsys.readouterr().err
        assert ("as where the former were cut" in said) == (path == cut)
        samples.append({"name": path.stem, "events": str(path), "assignments": str(output)})
    assert "assignment assign: WARNING: " in said
    assert f"events of {cut} have 7 jets and none has more, those of another sample have up to 9, " in said
    tables = {name: tmp_path / f"{name}.csv" for name in ("metrics", "significance", "masses", "calibration")}
    for background, words in (samples[0], 0), (samples[1], 1):
        files = {"samples": samples[:1], "background": background, "cost": None}
        evaluate_assignments(files, EvaluationSettings(), 1, **tables)
        assert capsys.readouterr().err.count("assignment evaluate: WARNING: ") == words
    model = AssignmentModel(outputs[0], outputs[1])
    for path in (whole, cut):
        given = read_events(path, ALL_HADRONIC_TOP_PAIR)
        model.predict(given.jets, given.mask)
        assert ("events of 'jets' have 7 jets and none has more" in capsys.readouterr().err) == (path == cut)
