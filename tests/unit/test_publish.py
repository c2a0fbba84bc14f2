"""``cloudchamber publish`` makes a folder for repositories of finished results, whole or not at all."""

import errno
import json
import os
import shutil
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from project_copy import REPOSITORY
from published import check_checksums, check_crate, finish_gating, validate_submissions

from cloudchamber.analysis import planned, settings_of
from cloudchamber.cli import main
from cloudchamber.errors import InputError
from cloudchamber.publishing import publish as publishing
from cloudchamber.publishing.hepdata import read_metrics, table_document, write_submission
from cloudchamber.publishing.settings_of_files import of_other_settings
from cloudchamber.records.record import record_path, recorded
from cloudchamber.storage import write_rows, write_text

ABOUT = {
    "title": "Gates & gating",
    "creators": [{"name": "Doe, Jane", "orcid": "0000-0002-1825-0097", "affiliation": "An Institute"}],
    "licence": "CC-BY-4.0",
    "keywords": ["gating"],
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("analysis")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        finish_gating()
    return folder


@pytest.fixture
def results(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(built, tmp_path / "analysis")
    monkeypatch.chdir(tmp_path / "analysis")
    return Path("results_tiny")


def _publish(results: Path, *options: str) -> int:
    return main(["publish", str(results), *options, "--output", "published"])


def test_the_folder_holds_what_a_repository_asks_for(results: Path) -> None:
    assert _publish(results, "--about", json.dumps(ABOUT)) == 0
    folder = Path("published")
    for path in (
        *("results/summary.html", "results/gating/metrics.csv", "results/tables/settings.csv"),
        *("results/gating/figures/capacity.png", "results/gating/figures/capacity.pdf"),
        *("provenance/gating/metrics.csv.json", "hepdata/gating/submission.yaml", "hepdata/gating/capacity.yaml"),
    ):
        assert (folder / path).is_file(), path
    copied = (folder / "results/gating/metrics.csv").read_bytes()
    assert copied == (results / "gating/metrics.csv").read_bytes()
    record = json.loads((folder / "provenance/gating/metrics.csv.json").read_text())
    assert record == json.loads(record_path(results / "gating/metrics.csv").read_text())
    check_checksums(folder)
    check_crate(folder)
    page = (folder / "README.md").read_text()
    assert page.startswith("# Gates & gating\n")
    assert "With 5 inputs one gate computes 94,572 functions" in page
    assert "stand-in" in page
    assert "The scale tiny is for tests: its numbers mean nothing." in page
    assert "[gating/figures/capacity.png](results/gating/figures/capacity.png): " in page
    zenodo = json.loads((folder / ".zenodo.json").read_text())
    assert zenodo["creators"] == ABOUT["creators"]
    assert (zenodo["upload_type"], zenodo["license"]) == ("dataset", "CC-BY-4.0")
    assert {"title", "description", "keywords"} <= set(zenodo)
    crate = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    assert {"https://orcid.org/0000-0002-1825-0097", "https://spdx.org/licenses/CC-BY-4.0"} <= {
        entity["@id"] for entity in crate
    }


def test_without_a_word_of_the_authors_nothing_is_made_up(results: Path) -> None:
    assert _publish(results) == 0
    zenodo = json.loads(Path("published/.zenodo.json").read_text())
    assert not {"creators", "license"} & set(zenodo)
    assert zenodo["title"] == "cloudchamber: Gating (scale tiny, seed 1)"
    assert "no licence" in Path("published/README.md").read_text()
    check_crate(Path("published"))


def test_hepdata_takes_the_tables(results: Path) -> None:
    assert _publish(results) == 0
    validate_submissions(Path("published"))


def test_the_numbers_are_those_of_the_table_of_metrics(results: Path) -> None:
    assert _publish(results) == 0
    table = yaml.safe_load(Path("published/hepdata/gating/capacity.yaml").read_text())
    (features,) = table["independent_variables"]
    assert features["header"]["name"] == "feature"
    rows = pd.read_csv(results / "gating/metrics.csv")
    found = {}
    for variable in table["dependent_variables"]:
        if variable["header"]["name"] == "capacity":
            (model,) = (item["value"] for item in variable["qualifiers"] if item["name"] == "model")
            for feature, value in zip(features["values"], variable["values"], strict=True):
                found[model, feature["value"]] = value["value"]
    expected = {(row.model, row.feature): row.value for row in rows.itertuples()}
    assert {key: value for key, value in found.items() if value != "-"} == expected
    document, *_ = yaml.safe_load_all(Path("published/hepdata/gating/submission.yaml").read_text())
    assert "How much does gating add" in document["comment"]
    assert "stand-in" in document["comment"]


def _fails(capsys: pytest.CaptureFixture[str], results: Path, status: int = 3) -> str:
    """Return the one line of a refusal that leaves nothing behind."""
    before = sorted(Path().iterdir())
    capsys.readouterr()
    assert _publish(results) == status
    assert sorted(Path().iterdir()) == before
    return capsys.readouterr().err.splitlines()[-1]


def test_a_missing_figure_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (results / "gating/figures/capacity.png").unlink()
    line = _fails(capsys, results)
    assert line.startswith(
        "cloudchamber publish: results_tiny/gating/figures/capacity.png: not there: incomplete results"
    )


@pytest.mark.parametrize("name", ["gating/metrics.csv", "gating/counts.csv", "gating/figures/capacity.png"])
def test_a_changed_file_is_refused(name: str, results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = results / name
    path.write_bytes(path.read_bytes() + b"\n")
    line = _fails(capsys, results)
    assert f"results_tiny/{name}: damaged: not what " in line
    assert "cloudchamber verify results_tiny names them" in line


def test_results_of_another_run_between_them_are_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = json.dumps({"inputs": 2, "trials": 20})
    outputs = ["--counts", str(results / "gating/counts.csv"), "--metrics", str(results / "gating/metrics.csv")]
    assert main(["gating", "count", "--settings", settings, *outputs]) == 0
    assert ": stale: made from another results_tiny/gating/counts.csv" in _fails(capsys, results)


def test_an_answer_of_another_seed_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of({"studies": ["gating"], "scale": "tiny", "seed": 2}, REPOSITORY)
    summary = planned(settings.model_dump(mode="json"), "tiny").summary
    outputs = ["--html", summary.page, "--csv", summary.table]
    assert main(["summarise", summary.studies, "--files", summary.arguments(None), *outputs]) == 0
    assert ": made with other settings than results_tiny/tables/settings.csv has" in _fails(capsys, results)


def test_data_and_trainings_of_other_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = {"studies": ["jet_generation"], "scale": "tiny", "detector_response": None}
    pipeline = planned(settings_of(config, REPOSITORY).model_dump(mode="json"), "tiny")
    training = next(iter(pipeline.studies["jet_generation"].trainings()))
    weights = Path(f"results_tiny/{training.folder}/weights.safetensors")
    made = {
        Path("results_tiny/clouds/top.h5"): (pipeline.settings.datasets["top"].ingestion, None),
        Path("results_tiny/prepared/top.h5"): (pipeline.settings.datasets["top"].preparation, pipeline.seed),
        weights: (training.settings, training.seed),
    }

    def write(path: Path, change: dict[str, Any], seed: int | None) -> None:
        settings = made[path][0]
        assert settings is not None
        values = {**settings.model_dump(mode="json"), **change}
        arguments = {"settings": json.dumps(values), "output": path, **({} if seed is None else {"seed": seed})}
        with recorded("step", arguments, ("output",), 1):
            write_text(path, "content")

    def said() -> list[str]:
        return sorted(of_other_settings(Path("results_tiny"), pipeline))

    for path, (_, seed) in made.items():
        write(path, {}, seed)
    assert said() == []
    changes: dict[Path, dict[str, Any]] = {
        Path("results_tiny/clouds/top.h5"): {"max_particles": 7},
        Path("results_tiny/prepared/top.h5"): {"pt_scale": "linear"},
        weights: {"conditions": ["jet_pt"]},
    }
    for path, change in changes.items():
        write(path, change, made[path][1])
        assert said() == [str(path)]
        write(path, {}, made[path][1])
    write(weights, {}, training.seed + 1)
    assert said() == [str(weights)]


def test_a_file_without_a_record_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record_path(results / "gating/metrics.csv").unlink()
    assert "results_tiny/gating/metrics.csv: no record of what made it" in _fails(capsys, results)


@pytest.mark.parametrize("folder", ["nowhere", "results_tiny/gating"])
def test_a_folder_that_is_no_analysis_is_refused(
    folder: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"{folder}/tables/settings.csv: no record of the settings" in _fails(capsys, Path(folder))


def test_a_folder_that_is_there_stays(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("published").mkdir()
    assert _fails(capsys, results, 4).endswith("published: is there already; remove it, or name another folder")


def test_a_folder_in_the_results_is_refused(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", str(results), "--output", str(results / "a/b")]) == 4
    assert "results_tiny/a/b: lies in the results" in capsys.readouterr().err
    assert not (results / "a").exists()


@pytest.mark.parametrize(
    ("change", "key"), [({"tpyo": 1}, "tpyo"), ({"creators": [{"name": "Doe", "orcid": "1"}]}, "orcid")]
)
def test_a_wrong_word_of_the_authors_is_one_line(
    change: Mapping[str, Any], key: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _publish(results, "--about", json.dumps(change)) == 2
    assert key in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("step", ["copyfile", "front_page"])
def test_a_full_disk_leaves_nothing(
    step: str, results: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(*((shutil, step) if step == "copyfile" else (publishing, step)), full)
    assert "published: cannot be written: No space left on device" in _fails(capsys, results, 4)


def test_a_termination_leaves_nothing(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminated(*_: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    before = sorted(Path().iterdir())
    monkeypatch.setattr(publishing, "front_page", terminated)
    with pytest.raises(SystemExit) as end:
        _publish(results)
    assert end.value.code == 143
    assert sorted(Path().iterdir()) == before


# What a table of metrics may look like.


def _row(**fields: Any) -> dict[str, str]:
    names = ("study", "dataset", "model", "sampler", "nfe", "seed", "metric", "feature", "value", "uncertainty")
    names = (*names, "floor", "n_reference", "n_generated", "floor_uncertainty")
    return {**dict.fromkeys(names, ""), "study": "jets", "metric": "kl", **{k: str(v) for k, v in fields.items()}}


def _headers(variables: list[dict[str, Any]]) -> list[str]:
    return [variable["header"]["name"] for variable in variables]


def test_features_are_rows_and_models_are_columns() -> None:
    rows = [
        _row(model=model, feature=feature, value=value, uncertainty=0.1, floor=0.01 * value, n_generated=10)
        for model, feature, value in (("a", "mass", 1.0), ("a", "pt", 2.0), ("b", "mass", 3.0))
    ]
    table = table_document("kl", rows)
    assert table["independent_variables"] == [
        {"header": {"name": "feature"}, "values": [{"value": "mass"}, {"value": "pt"}]}
    ]
    first, floor, second = table["dependent_variables"]
    assert _headers([first, floor, second]) == ["kl", "kl, floor", "kl"]
    assert first["values"][1] == {"value": 2.0, "errors": [{"symerror": 0.1, "label": "uncertainty"}]}
    assert floor["values"] == [{"value": 0.01}, {"value": 0.02}]
    # The other model has no value of the second feature.
    assert second["values"][1] == {"value": "-"}
    names = {"study": "jets", "model": "b", "floor": 0.03, "n_generated": 10}
    assert {item["name"]: item["value"] for item in second["qualifiers"]} == names


def test_a_metric_of_nothing_finer_has_a_row_for_each_model() -> None:
    rows = [_row(model=m, seed=s, value=0.5, uncertainty=0) for m in ("a", "b") for s in (1, 2)]
    table = table_document("accuracy", rows)
    assert _headers(table["independent_variables"]) == ["model", "seed"]
    (variable,) = table["dependent_variables"]
    # Exact values have no uncertainty.
    assert variable["values"] == [{"value": 0.5}] * 4


def test_bins_have_edges_and_sizes_that_differ_a_column() -> None:
    rows = [_row(low=low, high=low + 50, value=1, n_reference=size) for low, size in ((300, 7), (350, 8))]
    rows += [_row(low="", high="", value=2, n_reference=15)]
    table = table_document("efficiency", rows)
    (bins,) = table["independent_variables"]
    assert bins == {
        "header": {"name": "bin"},
        "values": [{"low": 300.0, "high": 350.0}, {"low": 350.0, "high": 400.0}, {"value": "all"}],
    }
    assert _headers(table["dependent_variables"]) == ["efficiency", "n_reference"]
    assert table["dependent_variables"][1]["values"] == [{"value": 7}, {"value": 8}, {"value": 15}]


def test_a_field_of_a_study_tells_rows_apart_or_is_a_column() -> None:
    rows = [_row(model="a", value=n, n_training=n, origin="exact" if n == 1 else "") for n in (1, 2)]
    table = table_document("learning_curve", rows)
    assert _headers(table["independent_variables"]) == ["n_training"]
    assert _headers(table["dependent_variables"]) == ["learning_curve", "origin"]
    assert table["dependent_variables"][1]["values"] == [{"value": "exact"}, {"value": "-"}]


def test_two_rows_of_the_same_thing_are_refused() -> None:
    with pytest.raises(InputError, match="metric 'kl': two rows are of the same"):
        table_document("kl", [_row(value=1), _row(value=2)])


def test_names_that_python_takes_for_numbers_stay_names() -> None:
    table = table_document("kl", [_row(model=name, value="nan") for name in ("1_2", "inf")])
    assert table["independent_variables"][0]["values"] == [{"value": "1_2"}, {"value": "inf"}]
    assert table["dependent_variables"][0]["values"] == [{"value": "nan"}] * 2


def test_names_of_digits_stay_names() -> None:
    """As of classes that are called 1 and 01."""
    table = table_document("auc", [_row(metric="auc", feature=name, value=1) for name in ("1", "01")])
    assert table["independent_variables"][0]["values"] == [{"value": "1"}, {"value": "01"}]


def test_hepdata_takes_tables_of_every_layout(tmp_path: Path) -> None:
    rows = [
        _row(metric="kl", model="a", feature="mass", value=1.5e-5, uncertainty=1e-6, floor=0, floor_uncertainty=0),
        _row(metric="kl", model="a", feature="pt", value=-2, uncertainty="", floor=1, floor_uncertainty=1),
        _row(metric="auc", model="a", value=1, low=0, high=1),
        _row(metric="auc", model="a", value=1, low="", high=""),
        _row(metric="one", value=""),
    ]
    write_rows(tmp_path / "metrics.csv", rows)
    write_submission(tmp_path / "hepdata/jets", read_metrics(tmp_path / "metrics.csv"), "Jets", "None.")
    validate_submissions(tmp_path)


@pytest.mark.parametrize("content", ["", "study,value\n", "study,value\na,1\n"])
def test_what_is_no_table_of_metrics_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(InputError, match=r"metrics\.csv: no table of metrics: no "):
        read_metrics(tmp_path / "metrics.csv")
