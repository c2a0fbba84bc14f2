"""The card of a network says what its files say, and the command that it tells gives the assignments of the study."""

import csv
import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from assignment_files import TRAINING, write_collected
from model_cards import commands_of, section, table_rows, write_card

from cloudchamber.cli import main
from cloudchamber.settings.base import parse
from cloudchamber.studies.assignment.assign import assign_events
from cloudchamber.studies.assignment.assignment_file import read_assignments
from cloudchamber.studies.assignment.card_kind import AssignmentCard
from cloudchamber.studies.assignment.cost import measure_cost
from cloudchamber.studies.assignment.evaluate import evaluate_assignments
from cloudchamber.studies.assignment.network_settings import AssignmentTrainingSettings
from cloudchamber.studies.assignment.settings import ChiSquareSettings, CostSettings, EvaluationSettings
from cloudchamber.studies.assignment.train import train_assignment

KIND = "assignment/network"
EVENTS = 130


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the card is made from: two trainings, assignments of own events and of multijets, metrics."""
    folder = tmp_path_factory.mktemp("card")
    settings = parse(AssignmentTrainingSettings, TRAINING)
    events = write_collected(folder / "own.h5", EVENTS)
    trainings = []
    for seed in (1, 2):
        made = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
        paths = {key: folder / f"seed{seed}/{file}" for key, file in made.items()}
        train_assignment(events, settings, seed, "all", None, folder / "state", **paths)
        trainings.append({"seed": seed, **{key: str(path) for key, path in paths.items()}})
    samples = []
    for name, part in (("own", "all"), ("background", None)):
        source = events if name == "own" else write_collected(folder / "background.h5", 40)
        entry = {"name": "spatter", "trained_on": "own", "training_events": None, "part": part}
        models = [{**entry, **training} for training in trainings]
        output = folder / f"{name}_assignments.h5"
        assign_events(source, {"part": part, "models": models}, ChiSquareSettings(), 0, output)
        samples.append({"name": name, "events": str(source), "assignments": str(output)})
    cost = folder / "times.csv"
    measured = {"models": [{"name": "spatter", **trainings[0]}]}
    measure_cost(events, measured, CostSettings(batch_sizes=(1,), rounds=1), cost)
    tables = {name: folder / f"{name}.csv" for name in ("metrics", "significance", "masses", "calibration")}
    given = {"samples": samples[:1], "background": samples[1], "cost": str(cost)}
    evaluate_assignments(given, EvaluationSettings(), 1, **tables)
    return {
        "study": "assignment",
        "dataset": "own",
        "dataset_title": "random events",
        "origin": "nowhere",
        "simulated": True,
        "name": "spatter",
        "title": "SPAtter",
        "events": str(events),
        "samples": [{"name": "own", "title": "own events"}, {"name": "background", "title": "multijets"}],
        "metrics": str(tables["metrics"]),
        "trainings": trainings,
    }


def test_the_card_says_what_the_files_say(files: dict[str, Any], tmp_path: Path) -> None:
    card = write_card(KIND, files, tmp_path / "card.md")
    assert card.startswith("# SPAtter, trained on random events\n")
    described = json.loads(Path(files["trainings"][0]["description"]).read_text())
    assert f"| parameters | {described['parameters']:,} (" in card
    training = described["training"]
    assert (
        f"| events of the training | {training['events']:,}, {training['complete_events']:,} with both tops |" in card
    )
    assert f"| selected events | {EVENTS}: 65 train, 13 validation, 52 test |" in card
    for text in (*AssignmentCard.uses, *AssignmentCard.limits, AssignmentCard.stand_in):
        assert text in card
    for item in files["trainings"]:
        assert hashlib.sha256(Path(item["weights"]).read_bytes()).hexdigest() in card
    assert "nan" not in section(card, "Metrics")


def test_other_data_are_no_stand_in(files: dict[str, Any], tmp_path: Path) -> None:
    card = write_card(KIND, {**files, "simulated": False}, tmp_path / "card.md")
    assert AssignmentCard.stand_in not in card


def test_the_card_has_the_metrics_of_the_network_on_each_sample(files: dict[str, Any], tmp_path: Path) -> None:
    text = section(write_card(KIND, files, tmp_path / "card.md"), "Metrics")
    own, background, cost = text.partition("On own events:")[2], text.partition("On multijets:")[2], "Cost:"
    assert "background_in_window" in background
    assert "event_efficiency" not in background.partition("Metrics:")[0]
    assert cost in text
    with open(files["metrics"], encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["metric"] == "eps_2_top" and row["feature"] == "all"]
    seeds = [float(row["value"]) for row in table if row["model"] == "spatter"]
    assert len(seeds) == 2
    (row,) = [row for row in table_rows(own) if row[:2] == ["eps_2_top", "all"]]
    assert float(row[2].partition(" ")[0]) == pytest.approx(statistics.mean(seeds), abs=0.006)
    floor = next(float(item["floor"]) for item in table if item["model"] == "spatter")
    assert float(row[3]) == pytest.approx(floor, abs=0.006)
    assert not [row for row in table_rows(text) if row[0] in ("learning_curve", "top_efficiency_in_bins")]


def test_the_command_of_the_card_gives_its_assignments(
    files: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_card(KIND, files, tmp_path / "card.md")
    monkeypatch.chdir(tmp_path)
    (command,) = commands_of(card)
    assert main(command) == 0
    found = [item for item in read_assignments(tmp_path / "assignments.h5") if item.is_trained]
    before = read_assignments(Path(files["events"]).with_name("own_assignments.h5"))
    (expected,) = [item for item in before if item.is_trained and item.seed == 1]
    assert len(found) == 1
    np.testing.assert_array_equal(found[0].rows, expected.rows)
    np.testing.assert_array_equal(found[0].jets, expected.jets)
