"""Files of real Delphes in the configuration: named by the environment, looked at where they are there."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.pipeline import Pipeline

VARIABLE = "CLOUDCHAMBER_DELPHES_SAMPLES"
TOP = "generated/delphes_atlas_tt_boosted_seed31.root"
QCD = "generated/delphes_atlas_qcd_boosted_seed32.root"


def pipeline(**changes: object) -> Pipeline:
    return plan({**yaml.safe_load((REPOSITORY / "config.yaml").read_text()), **changes}, REPOSITORY)


def processes(made: Pipeline) -> dict[str, bool]:
    """Return process -> whether the figure compares it with real Delphes."""
    (figure,) = [figure for figure in made.figures() if figure.key == "detector_response"]
    files = json.loads(figure.arguments(SimpleNamespace()))
    return {entry["name"]: entry["real"] is not None for entry in files["processes"]}


def test_a_variable_of_the_environment_names_their_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "generated").mkdir()
    (tmp_path / TOP).touch()
    made = pipeline()
    assert made.sources.real_files() == {"top": str(tmp_path / TOP), "qcd": None}
    assert processes(made) == {"top": True, "qcd": False}
    job = SimpleNamespace(process="top", side="real")
    assert made.clouds.response_files(job) == [str(tmp_path / TOP)]
    used = {entry["file"]: entry["source"] for entry in made.sources.all_files()}
    assert used[str(tmp_path / TOP)] == "file of the user: real Delphes, to compare with process top"
    assert str(tmp_path / QCD) not in used
    # The own side is simulated for both.
    assert made.clouds.response_files(SimpleNamespace(process="qcd", side="own")) == made.sources.raw("qcd")


def test_a_variable_that_is_not_set_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    made = pipeline()
    assert made.sources.real_files() == {"top": None, "qcd": None}
    assert processes(made) == {"top": False, "qcd": False}


def test_settings_do_not_depend_on_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table of settings is the same wherever the files lie."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    response = pipeline().settings.detector_response
    assert response is not None
    assert response.real_files["top"] == f"${VARIABLE}/{TOP}"


def test_without_the_comparison_nothing_is_simulated_for_it() -> None:
    made = pipeline(detector_response=None)
    assert not [figure for figure in made.figures() if figure.key == "detector_response"]
    assert not [path for path in made.sources.all_raw() if "/qcd/" in path]


def test_a_process_that_there_is_not_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"detector_response\.real_files: no process 'higgs'"):
        pipeline(detector_response={"real_files": {"higgs": "a.root"}})
