"""Model cards say what the files say, and what they tell to do works; the table of data holds what was used."""

import csv
import hashlib
import json
import re
import shlex
import statistics
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import small_study
import yaml
from model_cards import write_card
from project_copy import REPOSITORY
from small_study import FOLDER

from cloudchamber.analysis import STUDIES, plan
from cloudchamber.cli import main
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.provenance.card_kind import markdown_table

VALUES = {1: 0.1234, 2: 0.1834}


def _metrics(path: Path) -> Path:
    row = dict.fromkeys(METRIC_COLUMNS, "")
    row |= {"study": "jet_generation", "dataset": "a", "model": "epic", "sampler": "euler", "metric": "kl"}
    row |= {"feature": "jet_mass", "floor": "0.03", "floor_uncertainty": "0.01", "n_generated": "10"}
    rows = [{**row, "seed": str(seed), "value": str(value), "uncertainty": "0.02"} for seed, value in VALUES.items()]
    rows.append({**row, "seed": "1", "metric": "fpd", "feature": "", "value": "0.5", "uncertainty": "0.1"})
    rows.append({**row, "seed": "1", "model": "other", "value": "77.7", "uncertainty": "0.1"})
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, METRIC_COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a card is made from; the working directory is where the study lies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("study"))
        small_study.build()
        names = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
        yield {
            "study": "jet_generation",
            "dataset": "a",
            "dataset_title": "made-up jets",
            "origin": "nowhere",
            "simulated": True,
            "name": "epic",
            "title": "EPiC",
            "prepared": str(FOLDER / "prepared/a.h5"),
            "metrics": str(_metrics(Path("metrics.csv"))),
            "samplers": {"euler": small_study.SAMPLER},
            "trainings": [
                {"seed": seed, **{key: str(FOLDER / f"models/seed{seed}/{name}") for key, name in names.items()}}
                for seed in (1, 2)
            ],
        }


def test_the_card_says_what_the_files_say(files: dict[str, Any], tmp_path: Path) -> None:
    card = write_card("generator", files, tmp_path / "card.md")
    assert card.startswith("# EPiC, trained on made-up jets\n")
    titles = re.findall(r"^## (.*)$", card, re.MULTILINE)
    assert titles[:6] == ["What it is", "Data", "Training", "Metrics", "Intended use", "Limits"]
    parameters = json.loads(Path(files["trainings"][0]["description"]).read_text())["parameters"]
    assert f"| parameters | {parameters:,} (" in card
    assert "layers 1, hidden 8, latent 2, time_features 4" in card
    assert "| jets | 80: " in card
    assert "| batch size | 16 |" in card
    mean, spread = statistics.mean(VALUES.values()), statistics.stdev(VALUES.values())
    assert f"| kl | jet mass | {mean:.3f} ± 0.020 ({spread:.3f}) | 0.030 ± 0.010 | 10 |" in card
    assert "| fpd |  | 0.50 ± 0.10 | 0.030 ± 0.010 | 10 |" in card
    assert "77.7" not in card
    assert "stand-in" in card
    for training in files["trainings"]:
        assert hashlib.sha256(Path(training["weights"]).read_bytes()).hexdigest() in card
        last = list(csv.DictReader(Path(training["history"]).read_text().splitlines()))[-1]
        assert f"| {training['seed']} | {last['step']} |" in card
        assert f"training loss {float(last['training_loss']):.4g}" in card


def test_a_bar_in_a_title_makes_no_column() -> None:
    assert markdown_table([("title", "a | b")]).splitlines()[-1] == r"| title | a \| b |"


def test_own_data_are_no_stand_in(files: dict[str, Any], tmp_path: Path) -> None:
    assert "stand-in" not in write_card("generator", {**files, "simulated": False}, tmp_path / "card.md")


def test_commands_and_program_of_the_card_work(files: dict[str, Any], tmp_path: Path) -> None:
    card = write_card("generator", files, tmp_path / "card.md")
    (commands,) = re.findall(r"```\n(cloudchamber .*?)```", card, re.DOTALL)
    for line in commands.replace("--jets 1000", "--jets 12").splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    assert Path("sample.h5").exists()
    (program,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    values = names["drawn"].values
    assert values.shape[1] == 3
    assert np.isfinite(values).all()


def test_what_does_not_belong_together_is_refused(
    files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = files["trainings"]
    mixed = {**files, "trainings": [{**first, "weights": second["weights"]}]}
    missing = {key: value for key, value in files.items() if key != "metrics"}
    for wrong, status, fault in (
        (mixed, 3, "SHA-256 differs"),
        (missing, 2, "metrics"),
        ({**files, "trainings": []}, 2, "'trainings' is empty"),
        ({**files, "name": "nobody"}, 3, "no metric of 'nobody'"),
    ):
        command = ["model-card", "generator", "--files", json.dumps(wrong), "--output", str(tmp_path / "card.md")]
        assert main(command) == status
        error = capsys.readouterr().err
        assert fault in error.splitlines()[-1]
        assert not (tmp_path / "card.md").exists()


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("classifier", "no kind of model card 'classifier' among ['generator', 'jet_flow', 'tagger']"),
        ("gating/score", "no kind of model card 'gating/score' among []"),
        ("stars/score", "no kind of model card 'stars/score': no study 'stars' among"),
        ("active_matter/tagger", "no kind of model card 'active_matter/tagger' among ['active_matter/score']"),
    ],
)
def test_a_kind_that_is_none_is_named(
    kind: str, fault: str, files: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["model-card", kind, "--files", json.dumps(files), "--output", str(tmp_path / "card.md")]) == 2
    assert fault in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "card.md").exists()


def test_the_table_of_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.root").write_bytes(b"events, many")
    files = {"files": [{"file": "a.root", "source": "simulated here"}]}
    assert main(["data-table", "--files", json.dumps(files), "--output", "data.csv"]) == 0
    with open("data.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    digest = hashlib.sha256(b"events, many").hexdigest()
    assert rows == [{"file": "a.root", "bytes": "12", "sha256": digest, "source": "simulated here"}]
    assert main(["verify", "."]) == 3, "a.root is no ROOT file"
    for wrong, status in (([{"file": "b.root", "source": ""}], 3), ([{"file": "a.root"}], 2), ([], 2)):
        assert main(["data-table", "--files", json.dumps({"files": wrong}), "--output", "none.csv"]) == status
    assert not Path("none.csv").exists()


def _pipeline(**changes: Any) -> Pipeline:
    return plan({**yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8")), **changes}, REPOSITORY)


def _kinds(pipeline: Pipeline, study: str) -> dict[str, str]:
    """Return card -> kind of its model, of the cards of one study."""
    names = [name for name in pipeline.cards.names if name.startswith(f"{study}/")]
    return {name: pipeline.cards.kind(SimpleNamespace(card=name)) for name in names}


def test_the_pipeline_describes_every_trained_model() -> None:
    pipeline = _pipeline()
    kinds = _kinds(pipeline, "jet_generation")
    models = {name for name, model in pipeline.settings.jet_generation.models.items() if model.kind != "marginals"}
    prefix = "jet_generation/top/model_cards"
    assert kinds == {f"{prefix}/{name}": "generator" for name in models} | {f"{prefix}/jet_flow": "jet_flow"}
    for name in (*models, "jet_flow"):
        inputs = set(pipeline.cards.inputs(SimpleNamespace(card=f"{prefix}/{name}")))
        kept = "jet_level" if name == "jet_flow" else f"models/{name}"
        folder = f"results/jet_generation/top/{kept}/seed1"
        named = {f"{folder}/{file}" for file in ("weights.safetensors", "model.json", "history.csv")}
        assert inputs == named | {"results/prepared/top.h5", "results/jet_generation/metrics.csv"}


def test_the_pipeline_describes_every_tagger() -> None:
    pipeline = _pipeline()
    models = list(pipeline.settings.tagging.models)
    assert _kinds(pipeline, "tagging") == {f"tagging/model_cards/{name}": "tagger" for name in models}
    for name in models:
        inputs = set(pipeline.cards.inputs(SimpleNamespace(card=f"tagging/model_cards/{name}")))
        folder = f"results/tagging/models/{name}/all/seed1"
        named = {f"{folder}/{file}" for file in ("weights.safetensors", "model.json", "history.csv")}
        features = {"results/tagging/high_level.h5"} if name == "mass_hl" else set()
        assert inputs == named | features | {"results/tagging/jets.h5", "results/tagging/metrics.csv"}


@pytest.mark.parametrize("study", sorted(STUDIES))
def test_every_model_that_is_trained_has_a_card(study: str) -> None:
    """Parts of a learning curve and folds have none of their own: they are the same model with other events."""
    pipeline = _pipeline()
    models = getattr(getattr(pipeline.settings, study), "models", {})
    untrained = ("marginals", "parametrised")
    trained = {name for name, model in models.items() if getattr(model, "kind", "") not in untrained}
    cards = _kinds(pipeline, study)
    # Of parts that models of a study share.
    assert {name.rpartition("/")[2] for name in cards} - {"jet_flow", "counts"} == trained
    of_trainings = {f"results/{training.folder}" for training in pipeline.studies[study].trainings()}
    for name in cards:
        inputs = pipeline.cards.inputs(SimpleNamespace(card=name))
        weights = {path.removesuffix("/weights.safetensors") for path in inputs if path.endswith(".safetensors")}
        assert weights
        assert weights <= of_trainings
        assert f"results/{study}/metrics.csv" in inputs


@pytest.mark.parametrize(
    ("card", "used", "unused"),
    [
        ("active_matter/model_cards/trap", "studies/active_matter/card_kind", "provenance/jet_cards"),
        ("tagging/model_cards/transformer", "provenance/jet_cards", "studies/active_matter/card_kind"),
    ],
)
def test_editing_what_is_said_of_a_kind_rewrites_the_cards_of_that_kind(card: str, used: str, unused: str) -> None:
    # Relative to the repository, from wherever the tests run.
    code = [path[path.index("src/cloud") :] for path in _pipeline().code_of_card(SimpleNamespace(card=card))]
    assert {f"src/cloudchamber/{used}.py", "src/cloudchamber/provenance/model_card.py"} <= set(code)
    assert f"src/cloudchamber/{unused}.py" not in code


def test_every_card_is_a_result_of_its_study_and_has_labels() -> None:
    pipeline = _pipeline()
    results = {path for study in pipeline.studies.values() for path in pipeline.results(study)}
    assert {f"results/{name}.md" for name in pipeline.cards.names} <= results
    for name in pipeline.cards.names:
        assert pipeline.cards.labels(SimpleNamespace(card=name))["model"] == name.rpartition("/")[2]


def test_the_pipeline_lists_the_data_it_uses_and_no_more() -> None:
    others = {"detector_response": None, "tagging": None, "assignment": None, "macaron": None}
    used = {entry["file"]: entry["source"] for entry in _pipeline(**others).sources.all_files()}
    assert set(used) == {f"results/raw/top/{shard}.root" for shard in range(6)}, (
        "the others are for the detector response and other studies"
    )
    own = {
        "title": "mine",
        "source": {"kind": "delphes", "files": ["/data/b.root", "/data/a.root"]},
        "ingestion": {"clouds": {"kind": "reclustered"}, "max_particles": 5},
    }
    public = {"title": "public", "source": {"kind": "jetnet", "download": "jetnet30_top"}}
    pipeline = _pipeline(
        datasets={"own": own, "public": public},
        **others,
        jet_generation={"datasets": ["own", "public"]},
    )
    used = {entry["file"]: entry["source"] for entry in pipeline.sources.all_files()}
    assert set(used) == {"/data/a.root", "/data/b.root", "data/external/t.hdf5"}
    assert used["/data/a.root"] == "file of the user"
    assert "https://zenodo.org/records/6975118/files/t.hdf5" in used["data/external/t.hdf5"]
    assert not pipeline.sources.simulated("own")
