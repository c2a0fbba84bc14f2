"""The study through the real command at the scale "tiny"."""

from pathlib import Path

import pandas as pd
import pytest
from project_copy import copy_project
from tiny_run import overlay, planned, snakemake

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

METRICS = "results_tiny/macaron/metrics.csv"
CARDS = "results_tiny/macaron/model_cards"
# Two classes are enough to see that all parts fit.
ONE: dict[str, object] = {"studies": ["macaron"], "macaron": {"classes": {"4b": None, "8": None}}}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("macaron")
    copy_project(folder)
    cards = [f"{CARDS}/{model}.md" for model in ("macaron", "dynamics")]
    snakemake(folder, METRICS, *cards, configs=overlay(folder, "one.yaml", ONE))
    return folder


def test_the_study_ends_in_its_metrics(finished: Path) -> None:
    table = pd.read_csv(finished / METRICS)
    arms = table[table["metric"] == "accuracy"]
    assert list(arms["model"]) == ["standard", "macaron"]
    assert {"global_order", "refinement_order", "flops_per_jet", "difference"} <= set(table["metric"])
    counts = table[table["metric"] == "flops_per_jet"].set_index("model")["value"]
    assert counts["standard"] == counts["macaron"] > 0


def test_a_card_has_the_numbers_of_its_model_alone(finished: Path) -> None:
    table = pd.read_csv(finished / METRICS)
    cards = {model: (finished / f"{CARDS}/{model}.md").read_text() for model in ("macaron", "dynamics")}
    for metric in ("accuracy", "difference"):
        row = table[(table["model"] == "macaron") & (table["metric"] == metric)].iloc[0]
        assert f"| {metric} | " in cards["macaron"]
        assert f"{row['value']:.2f}"[:4] in cards["macaron"]
    assert "accuracy_at_steps" in cards["dynamics"]
    assert "| difference |" not in cards["dynamics"]
    assert "tagger.onnx" not in cards["macaron"], "the study exports none"


def test_nothing_is_left_to_do_and_a_change_reruns_what_depends_on_it(finished: Path) -> None:
    configs = ("configs/tiny.yaml", "one.yaml")
    assert "Nothing to be done" in snakemake(finished, METRICS, "--dry-run", configs=configs)
    macaron = {"classes": {"4b": None, "8": None}, "evaluation": {"bootstraps": 6}}
    more = overlay(finished, "more.yaml", ONE | {"macaron": macaron})
    assert set(planned(snakemake(finished, METRICS, "--dry-run", configs=more))) - {"total"} == {"macaron_evaluate"}
    sweep = overlay(finished, "sweep.yaml", ONE | {"macaron": ONE["macaron"] | {"learning_rates": [0.001, 0.01]}})  # type: ignore[operator]
    jobs = planned(snakemake(finished, METRICS, "--dry-run", configs=sweep))
    assert (jobs["train_tagger"], jobs["predict_classes"]) == (4, 4)
    card = snakemake(finished, f"{CARDS}/macaron_rate2.md", "--dry-run", configs=sweep)
    assert planned(card)["model_card"] == 1
