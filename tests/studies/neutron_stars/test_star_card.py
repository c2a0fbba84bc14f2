"""The card of a model says what its files say, and the command that it tells gives the estimates of the study."""

import csv
import hashlib
import json
import statistics
from pathlib import Path
from typing import Any

import pytest
from model_cards import commands_of, section, table_rows, write_card
from star_files import CURVES, REFERENCE, STARS

from cloudchamber.cli import main
from cloudchamber.figures.numbers import decimals, with_uncertainty
from cloudchamber.settings.base import parse
from cloudchamber.studies.neutron_stars.card_kind import StarModelCard
from cloudchamber.studies.neutron_stars.estimate import estimate
from cloudchamber.studies.neutron_stars.estimates import read_estimates
from cloudchamber.studies.neutron_stars.evaluate import evaluate
from cloudchamber.studies.neutron_stars.references import estimate_references
from cloudchamber.studies.neutron_stars.settings import EvaluationSettings, MeasurementSettings, StarModelSettings
from cloudchamber.studies.neutron_stars.star_sets import read_sets
from cloudchamber.studies.neutron_stars.train import train

KIND = "neutron_stars/star_model"
LOOP = {"steps": 4, "batch_size": 32, "validate_every": 2, "accelerator": "cpu"}
NETWORKS: dict[str, dict[str, Any]] = {
    "density": {"kind": "deep_set", "star": [8], "hidden": [8], "components": 2},
    "point": {"kind": "deep_set", "star": [8], "hidden": [8], "output": "point"},
    "likelihood": {"kind": "likelihood", "hidden": [8], "components": 2},
}


@pytest.fixture(scope="module")
def cards(stars_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the card of each model is made from, with two trainings each."""
    folder = tmp_path_factory.mktemp("card")
    measurement = MeasurementSettings(stars=STARS, evaluation=EvaluationSettings(bootstraps=5))
    sources = {name: stars_folder / f"{name}.h5" for name in ("curves", "stars", "grid")}
    references = {name: folder / f"{name}.h5" for name in ("constant", "ridge", "exact", "case")}
    estimate_references(*sources.values(), measurement, **references)
    estimates = [{"name": name, "seed": 0, "path": str(references[name])} for name in ("constant", "ridge", "exact")]
    trainings: dict[str, list[dict[str, Any]]] = {name: [] for name in NETWORKS}
    for name, network in NETWORKS.items():
        settings = parse(StarModelSettings, {"network": network, "stars": STARS.model_dump(), "training": LOOP})
        for seed in (1, 2):
            made = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
            paths = {key: folder / f"{name}/seed{seed}/{file}" for key, file in made.items()}
            train(sources["curves"], settings, seed, folder / "state", **paths)
            trainings[name].append({"seed": seed, **{key: str(path) for key, path in paths.items()}})
            output = folder / f"{name}/seed{seed}/estimates.h5"
            model = (paths["weights"], paths["description"])
            estimate(sources["stars"], sources["grid"], *model, output, output.with_name("case.h5"))
            estimates.append({"name": name, "seed": seed, "path": str(output)})
    files = {"sets": str(sources["stars"]), "estimates": estimates}
    evaluate(files, measurement, 1, folder / "metrics.csv")
    return {
        name: {
            "study": "neutron_stars",
            "dataset": REFERENCE.key,
            "dataset_title": "simulated stars",
            "origin": "own simulation",
            "simulated": True,
            "name": name,
            "title": f"Network {name}",
            "curves": str(sources["curves"]),
            "grid": str(sources["grid"]),
            "sets": str(sources["stars"]),
            "metrics": str(folder / "metrics.csv"),
            "trainings": trainings[name],
        }
        for name in NETWORKS
    }


@pytest.mark.parametrize(
    ("name", "words"),
    [("density", "posterior density"), ("point", "Point estimates"), ("likelihood", "A model of single stars")],
)
def test_the_card_says_what_the_files_say(
    name: str, words: str, cards: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    card = write_card(KIND, cards[name], tmp_path / "card.md")
    assert card.startswith(f"# Network {name}, trained on simulated stars\n")
    assert words in section(card, "What it is")
    description = json.loads(Path(cards[name]["trainings"][0]["description"]).read_text())
    assert f"| parameters | {description['parameters']:,} (" in card
    assert "| seeds of the training | 1, 2 |" in card
    total = CURVES.train + CURVES.validation + CURVES.test
    parts = f"{CURVES.train} train, {CURVES.validation} validation, {CURVES.test} test"
    assert f"| equations of state | {total}: {parts} |" in card
    assert f"| its test sets | {CURVES.test}, each of another equation of state |" in card
    for text in (*StarModelCard.uses, *StarModelCard.limits, StarModelCard.stand_in):
        assert text in card
    for training in cards[name]["trainings"]:
        assert hashlib.sha256(Path(training["weights"]).read_bytes()).hexdigest() in card


def test_the_card_has_the_metrics_of_the_model_beside_both_limits(
    cards: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    files = cards["density"]
    with open(files["metrics"], encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["dataset"] == REFERENCE.key]
    text = section(write_card(KIND, files, tmp_path / "card.md"), "Metrics")
    shown = {(row[0], row[1]): row[2:] for row in table_rows(text) if row[0] in StarModelCard.metrics}
    mine = [row for row in table if row["model"] == "density"]
    assert set(shown) == {(row["metric"], row["feature"].replace("_", " ")) for row in mine}
    assert {"rmse", "ratio_to_bayes", "coverage_68", "nll"} <= {metric for metric, _ in shown}
    of = {
        (row["model"], row["seed"]): row for row in table if (row["metric"], row["feature"]) == ("rmse", "combination")
    }
    value, floor, ceiling, sets = shown["rmse", "combination"]
    mean, error = (
        statistics.mean(float(of["density", seed][key]) for seed in "12") for key in ("value", "uncertainty")
    )
    spread = statistics.stdev(float(of["density", seed]["value"]) for seed in "12")
    assert value == f"{with_uncertainty(mean, error)} ({spread:.{decimals(mean, error)}f})"
    for found, reference in ((floor, "constant"), (ceiling, "exact")):
        row = of[reference, "0"]
        assert found == with_uncertainty(float(row["value"]), float(row["uncertainty"]))
    assert sets == str(CURVES.test)
    assert "nan" not in text


@pytest.mark.parametrize("name", NETWORKS)
def test_the_command_of_the_card_gives_its_estimates(
    name: str, cards: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_card(KIND, cards[name], tmp_path / "card.md")
    monkeypatch.chdir(tmp_path)
    (command,) = commands_of(card)
    assert main(command) == 0
    sets = len(read_sets(Path(cards[name]["sets"])).parts["test"])
    before = Path(cards[name]["trainings"][0]["weights"]).with_name("estimates.h5")
    found, expected = (read_estimates(path, sets).means for path in (tmp_path / "estimates.h5", before))
    assert all((found[quantity] == values).all() for quantity, values in expected.items())
