"""The study through the real command at the scale "tiny", and what a change of it reruns."""

import json
from pathlib import Path

import pandas as pd
import pytest
from project_copy import copy_project
from tiny_run import overlay, planned, snakemake

from cloudchamber.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SUMMARY, FOLDER = "results_tiny/summary.html", "results_tiny/active_matter"
CARD = f"{FOLDER}/model_cards/springs.md"
# A model without and one with a transfer are enough to see that all parts fit.
TWO = {"active_matter": {"ensembles": {"ring": None, "box": None}, "models": {"ring": None, "box": None}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which the study has run to its summary and a card."""
    folder = copy_project(tmp_path_factory.mktemp("active_matter"))
    config = folder / "config.yaml"
    lines = config.read_text(encoding="utf-8").splitlines()
    changed = ["studies: [active_matter]" if line.startswith("studies:") else line for line in lines]
    config.write_text("\n".join(changed) + "\n", encoding="utf-8")
    snakemake(folder, SUMMARY, CARD, configs=overlay(folder, "two.yaml", TWO))
    return folder


def test_the_study_ends_in_its_metrics(finished: Path) -> None:
    table = pd.read_csv(finished / FOLDER / "metrics.csv")
    assert set(table["dataset"]) == {"trap", "springs", "springs_16"}
    learned = table[(table["metric"] == "entropy_production") & table["model"].isin(["trap", "springs"])]
    assert set(learned[learned["model"] == "springs"]["dataset"]) == {"springs", "springs_16"}
    assert learned[["value", "uncertainty", "exact", "origin"]].notna().all(axis=None)
    estimators = {"moment_identity", "trajectory"}
    assert estimators <= set(table[table["metric"] == "entropy_production"]["model"])


def test_the_summary_has_the_answer_of_the_study(finished: Path) -> None:
    (row,) = pd.read_csv(finished / "results_tiny/summary.csv").to_dict("records")
    assert row["study"] == "active_matter"
    assert "entropy production" in row["question"]
    assert row["answer"]
    assert row["question"] in (finished / SUMMARY).read_text(encoding="utf-8")


def test_the_card_has_each_ensemble_of_the_score(finished: Path) -> None:
    card = (finished / CARD).read_text(encoding="utf-8")
    assert "On 8 active particles with springs:" in card
    assert "On 16 active particles with springs, unchanged:" in card


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ensembles/springs.h5", "clouds"),
        ("models/springs/seed1/weights.safetensors", "weights"),
        ("models/springs/seed1/model.json", "description of a model"),
        ("metrics.csv", "table"),
    ],
)
def test_files_say_what_made_them(
    name: str, kind: str, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    assert main(["inspect", f"{FOLDER}/{name}", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == kind
    assert found["record"]["step"].startswith("active_matter ")


def test_nothing_is_left_to_do_and_a_change_reruns_what_depends_on_it(finished: Path) -> None:
    configs = ("configs/tiny.yaml", "two.yaml")
    assert "Nothing to be done" in snakemake(finished, SUMMARY, CARD, configs=configs)
    measured = {"active_matter": {**TWO["active_matter"], "measurement": {"snapshots": 50}}}
    jobs = planned(snakemake(finished, SUMMARY, "--dry-run", configs=overlay(finished, "more.yaml", measured)))
    assert "active_matter_measure" in jobs
    assert not {"active_matter_simulate", "active_matter_train"} & set(jobs)
