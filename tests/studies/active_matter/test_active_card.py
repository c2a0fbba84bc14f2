"""The card of a score says what its files say, and what it tells to do works."""

import csv
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_cards import commands_of, section, table_rows, write_card
from systems_of_tests import SPRINGS, ensemble

from cloudchamber.cli import main
from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.card_kind import ScoreCard
from cloudchamber.studies.active_matter.evaluate import evaluate
from cloudchamber.studies.active_matter.measure import measure
from cloudchamber.studies.active_matter.plan import ActiveMatterPlan
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.simulate import simulate
from cloudchamber.studies.active_matter.train import train_score

KIND = "active_matter/score"
SETTINGS: dict[str, Any] = {
    "ensembles": {
        "springs": ensemble({**SPRINGS, "particles": 3}, title="3 with springs", trajectories=40).model_dump(),
        "springs_5": ensemble({**SPRINGS, "particles": 5}, title="5 with springs", trajectories=20).model_dump(),
    },
    "seeds": [1, 2],
    "models": {
        "springs": {
            "title": "transformer",
            "ensemble": "springs",
            "transfers": ["springs_5"],
            "network": {"kind": "transformer", "layers": 1, "heads": 1, "width": 8, "feed_forward": 8},
            "training": {"steps": 4, "batch_size": 16, "validate_every": 2, "accelerator": "cpu"},
        },
    },
    "measurement": {"divergence_snapshots": 10, "probes": 1},
}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> ActiveMatterPlan:
    """A study of one model that was measured on two ensembles."""
    root = tmp_path_factory.mktemp("card")
    settings = parse(ActiveMatterSettings, SETTINGS)
    made = ActiveMatterPlan(settings, str(root), f"{root}/active_matter")
    for name, item in settings.ensembles.items():
        simulate(item, 1, root / "state", Path(made.snapshots(name)))
    model = settings.models["springs"]
    for seed in settings.seeds_of("springs"):
        folder = Path(made.training("springs", seed))
        paths = (folder / "weights.safetensors", folder / "model.json", folder / "history.csv")
        drives = list(made.drives("springs"))
        train_score(Path(made.snapshots("springs")), model.score, drives, seed, root / "state", *paths)
    measured = (Path(made.quantities("springs")), Path(made.fields("springs")))
    measure(settings.measurement, made.measured("springs"), 1, *measured)
    evaluate(settings, made.gathered(), 1, Path(made.metrics), Path(made.denoising), Path(made.phases))
    return made


@pytest.fixture
def files(plan: ActiveMatterPlan) -> dict[str, Any]:
    names = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
    return {
        "study": "active_matter",
        "dataset": "springs",
        "dataset_title": "3 with springs",
        "origin": "own simulation",
        "simulated": True,
        "name": "springs",
        "title": "Transformer",
        "snapshots": plan.snapshots("springs"),
        "ensembles": [
            {"name": "springs", "title": "3 with springs"},
            {"name": "springs_5", "title": "5 with springs"},
        ],
        "metrics": plan.metrics,
        "trainings": [
            {"seed": seed, **{key: f"{plan.training('springs', seed)}/{name}" for key, name in names.items()}}
            for seed in (1, 2)
        ],
    }


def test_the_card_says_what_the_files_say(files: dict[str, Any], plan: ActiveMatterPlan, tmp_path: Path) -> None:
    card = write_card(KIND, files, tmp_path / "card.md")
    assert card.startswith("# Transformer, trained on 3 with springs\n")
    described = json.loads(Path(files["trainings"][0]["description"]).read_text())
    assert f"| parameters | {described['parameters']:,} (" in card
    drives = plan.drives("springs")
    assert f"| drives of the training | {', '.join(f'{drive:g}' for drive in drives)} |" in card
    of_ensemble = plan.settings.ensembles["springs"]
    total = len(drives) * of_ensemble.trajectories * of_ensemble.snapshots
    assert f"| snapshots of all drives | {total:,}: " in card
    assert "| particles of a snapshot | 3 |" in card
    for text in (*ScoreCard.uses, *ScoreCard.limits, ScoreCard.stand_in):
        assert text in card
    for training in files["trainings"]:
        assert hashlib.sha256(Path(training["weights"]).read_bytes()).hexdigest() in card


def test_the_card_has_learned_and_exact_values_of_each_ensemble(
    files: dict[str, Any], plan: ActiveMatterPlan, tmp_path: Path
) -> None:
    text = section(write_card(KIND, files, tmp_path / "card.md"), "Metrics")
    assert "nan" not in text
    trained, transferred = text.partition("On 5 with springs, unchanged:")[::2]
    assert "On 3 with springs:" in trained
    with open(plan.metrics, encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["model"] == "springs"]
    largest = max(float(row["drive"]) for row in table)
    for ensemble_name, part in (("springs", trained), ("springs_5", transferred)):
        (measured,) = [
            row
            for row in table
            if (row["dataset"], row["metric"], row["feature"]) == (ensemble_name, "entropy_production", "")
            and float(row["drive"]) == largest
        ]
        (shown,) = [row for row in table_rows(part) if row[:3] == ["entropy_production", "", f"{largest:g}"]]
        value, error = (float(number) for number in re.findall(r"[-\d.]+", shown[3])[:2])
        assert value == pytest.approx(float(measured["value"]), abs=0.6 * error + 1e-9)
        assert float(shown[5]) == pytest.approx(float(measured["exact"]), rel=0.02)
        assert shown[6] == measured["n_generated"]


def test_command_and_program_of_the_card_work(
    files: dict[str, Any], plan: ActiveMatterPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_card(KIND, files, tmp_path / "card.md")
    monkeypatch.chdir(tmp_path)
    (command,) = commands_of(card)
    assert main(command) == 0
    assert (tmp_path / "quantities.csv").read_text().startswith("ensemble,")
    (program,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["flow"].shape == names["states"].shape
    assert np.isfinite(names["flow"]).all()
