"""The card of a tagger says what its files say, and the command that it tells gives the scores of the study."""

import csv
import hashlib
import json
import re
import shlex
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_cards import write_card
from pronged_jets import tagging_clouds, write_features, write_tagging_jets
from small_study import run

from cloudchamber.cli import main
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.provenance.card_texts import LIMITS, METRICS, USES

CLASSES = ("1", "3")
NETWORKS = {
    "dense": {"kind": "dense", "hidden": [8]},
    "flow": {"kind": "particle_flow", "tower": [8], "hidden": [8]},
}


@pytest.fixture(scope="module")
def taggers(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the cards of two taggers are made from, by the name of the tagger; the working directory is theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("taggers"))
        clouds = tagging_clouds()
        # Classes that none can tell apart: every metric is finite, also that of few jets.
        labels = np.random.default_rng(2).permutation(clouds.labels)
        clouds = replace(clouds, labels=np.column_stack([labels[:, 0], clouds.labels[:, 1:]]))
        jets, features = write_tagging_jets(Path("jets.h5"), clouds), write_features(Path("high_level.h5"), clouds)
        loop = {"steps": 3, "batch_size": 32, "validate_every": 1, "accelerator": "cpu"}
        trainings: dict[str, list[dict[str, Any]]] = {name: [] for name in NETWORKS}
        scores = []
        for name, network in NETWORKS.items():
            inputs = [jets, "--high-level", features] if name == "dense" else [jets]
            settings = json.dumps({"network": network, "training": loop})
            for seed in (1, 2):
                folder = Path(f"{name}/seed{seed}")
                paths = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
                made = {key: str(folder / file) for key, file in paths.items()}
                written = [text for key, path in made.items() for text in (f"--{key}", path)]
                run("train-tagger", *inputs, "--settings", settings, "--seed", str(seed), "--state", "state", *written)
                of_jets = folder / "scores.h5"
                model = ["--model", made["weights"], made["description"]]
                run("predict-classes", *inputs, *model, "--output", of_jets)
                trainings[name].append({"seed": seed, **made})
                scores.append({"name": name, "seed": seed, "path": str(of_jets)})
        files = {"study": "tagging", "dataset": "all", "scores": scores}
        tables = ("metrics", "confusion", "curves", "significance")
        outputs = [text for name in tables for text in (f"--{name}", f"{name}.csv")]
        evaluation = ["--files", json.dumps(files), "--settings", '{"bootstraps": 5, "mass_bins": 1, "pt_bins": 1}']
        run("evaluate-taggers", jets, *evaluation, "--seed", "1", *outputs)
        yield {
            name: {
                "study": "tagging",
                "dataset": "all",
                "dataset_title": "made-up jets",
                "origin": "nowhere",
                "simulated": True,
                "name": name,
                "title": f"Tagger {name}",
                "prepared": "jets.h5",
                "high_level": [str(features)] if name == "dense" else [],
                "metrics": "metrics.csv",
                "samplers": {},
                "trainings": trainings[name],
            }
            for name in NETWORKS
        }


@pytest.mark.parametrize("name", NETWORKS)
def test_the_card_of_a_tagger_says_what_the_files_say(name: str, taggers: dict[str, Any], tmp_path: Path) -> None:
    files = taggers[name]
    card = write_card("tagger", files, tmp_path / "card.md")
    assert card.startswith(f"# Tagger {name}, trained on made-up jets\n")
    description = json.loads(Path(files["trainings"][0]["description"]).read_text())
    assert f"| parameters | {description['parameters']:,} (" in card
    assert "| seeds of the training | 1, 2 |" in card
    assert f"| classes | {', '.join(CLASSES)} |" in card
    of_features = "jet_mass, tau1, tau2" if name == "dense" else "none: it sees the towers of a jet"
    assert f"| features | {of_features} |" in card
    assert "| jets | 240: 168 train, 24 validation, 48 test |" in card
    for words in (*USES["tagger"], *LIMITS["tagger"], "stand-in"):
        assert words in card
    assert "generative model" not in card
    for training in files["trainings"]:
        assert hashlib.sha256(Path(training["weights"]).read_bytes()).hexdigest() in card


def test_the_card_of_a_tagger_has_its_metrics_and_those_of_no_other(taggers: dict[str, Any], tmp_path: Path) -> None:
    card = write_card("tagger", taggers["flow"], tmp_path / "card.md")
    with open("metrics.csv", encoding="utf-8", newline="") as file:
        table = [row for row in csv.DictReader(file) if row["model"] == "flow"]
    section = card.partition("## Metrics\n")[2].partition("\n## ")[0]
    shown = {
        (cells[0], cells[1]): cells[2:]
        for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines())
        if len(cells) == 5 and cells[0] in METRICS
    }
    measured = {(row["metric"], row["feature"]) for row in table if row["metric"] in METRICS}
    assert {("accuracy", ""), ("auc", "1"), ("auc", "3"), ("calibration_error", "")} <= measured
    assert set(shown) == measured
    for (metric, feature), (value, floor, jets) in shown.items():
        rows = [row for row in table if (row["metric"], row["feature"]) == (metric, feature)]
        values = [float(row["value"]) for row in rows]
        number, spread = re.fullmatch(r"([\d.]+)(?: ± [\d.]+)? \(([\d.]+)\)", value).groups()
        digits = len(number.partition(".")[2])
        # The mean over seeds, and in brackets how far they lie apart.
        assert float(number) == pytest.approx(statistics.mean(values), abs=0.51 * 10.0**-digits)
        assert float(spread) == pytest.approx(statistics.stdev(values), abs=0.51 * 10.0**-digits)
        floors = [float(row["floor"]) for row in rows]
        assert float(floor.partition(" ")[0]) == pytest.approx(statistics.mean(floors), abs=0.002)
        assert jets == rows[0]["n_reference"] == "48"
    assert "Sampler `" not in section


@pytest.mark.parametrize("name", NETWORKS)
def test_the_command_of_a_taggers_card_gives_its_scores(
    name: str, taggers: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = write_card("tagger", taggers[name], tmp_path / "card.md")
    (command,) = re.findall(r"```\n(cloudchamber .*?)\n```", card, re.DOTALL)
    # It has the paths of the study, and writes where it is run.
    arguments = [str(tmp_path / text) if text == "scores.h5" else text for text in shlex.split(command)[1:]]
    assert main(arguments) == 0
    again, before = (read_observables(path)[0] for path in (tmp_path / "scores.h5", f"{name}/seed1/scores.h5"))
    assert set(again) == {"row", *(f"log_p_{of_class}" for of_class in CLASSES)}
    for column, values in again.items():
        np.testing.assert_array_equal(values, before[column])


def test_a_metric_without_bound_is_shown_as_such(taggers: dict[str, Any], tmp_path: Path) -> None:
    """No background was kept, as with few jets and good taggers."""
    with open("metrics.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = [row for row in rows if (row["model"], row["metric"], row["feature"]) == ("flow", "rejection", "1")]
    assert len(chosen) == 2
    for row in chosen:
        row |= {"value": "inf", "uncertainty": ""}
    with open(tmp_path / "metrics.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    card = write_card("tagger", {**taggers["flow"], "metrics": str(tmp_path / "metrics.csv")}, tmp_path / "card.md")
    assert re.search(r"^\| rejection \| 1 \| inf ", card, re.MULTILINE)
    assert "nan" not in card
