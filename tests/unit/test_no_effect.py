"""What a user writes and nothing takes is said at the start of a run."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES, plan
from cloudchamber.pipeline.no_effect import unread_settings, without_effect
from cloudchamber.settings.layers import layered

CONFIG = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))


def _said(**changes: Any) -> list[str]:
    config = {**CONFIG, **changes}
    return without_effect(config, layered(config, REPOSITORY, list(STUDIES)), plan(config, REPOSITORY))


@pytest.mark.parametrize("scale", ["default", "standard", "gpu", "tiny"])
def test_nothing_is_said_of_what_the_user_does_not_write(scale: str) -> None:
    assert _said(scale=scale) == []


def test_data_sets_and_processes_that_no_study_takes() -> None:
    mine = {
        "title": "mine",
        "source": {"kind": "simulated", "process": "of_mine"},
        "ingestion": {"clouds": {"kind": "reclustered"}, "max_particles": 30},
    }
    process = {"title": "mine", "events": 10, "commands": ["HardQCD:all = on"], "pt_hat": [500, 700]}
    own = {"datasets": {"mine": mine}, "processes": {"of_mine": process}, "studies": ["jet_generation"]}
    assert _said(**own) == [
        "datasets.mine: no study takes it",
        "processes.of_mine: no data set of a study is of it",
    ]
    assert _said(**own, jet_generation={"datasets": ["mine"]}) == []


def test_the_preparation_of_a_data_set_of_taggers() -> None:
    preparation = {"preparation": {"split": {"train": 0.8, "validation": 0.1}}}
    said = _said(studies=["tagging"], datasets={"prong2": preparation})
    assert said == ["datasets.prong2.preparation: the studies that take it have settings of their own in place of this"]
    assert _said(studies=["jet_generation"], datasets={"top": preparation}) == []


def test_a_file_of_real_delphes_that_is_not_there() -> None:
    real = {"real_files": {"top": "/nowhere/top.root"}}
    said = ["detector_response.real_files.top: no such file: /nowhere/top.root"]
    assert _said(studies=["jet_generation"], detector_response=real) == said


def test_keys_of_a_recipe_that_models_have_of_their_own() -> None:
    own = {"training": {"batch_size": 256, "weight_decay": 0.01}}
    said = ["tagging.training.batch_size: not of models with a value of their own: transformer (64)"]
    assert _said(studies=["tagging"], tagging=own) == said
    # As --config hands it over.
    assert _said(studies=["tagging"], tagging={"training": {"batch_size": "64"}}) == []
    for batch_size in (256, 32):
        asked = own | {"models": {"transformer": {"training": {"batch_size": batch_size}}}}
        assert _said(studies=["tagging"], tagging=asked) == []


def test_settings_where_nobody_reads_them_are_said(tmp_path: Path) -> None:
    default = [REPOSITORY / "config.yaml"]
    assert unread_settings(tmp_path, default) == []
    (tmp_path / "config").mkdir()
    for name in ("config.yml", "config/config.yaml"):
        (tmp_path / name).write_text("studies: [gating]\n", encoding="utf-8")
    said = unread_settings(tmp_path, default)
    assert [line.partition(":")[0] for line in said] == ["config.yml", "config/config.yaml"]
    # Who names a file of settings, or has the one that is read, means that.
    assert unread_settings(tmp_path, [*default, tmp_path / "config.yml"]) == []
    (tmp_path / "config.yaml").touch()
    assert unread_settings(tmp_path, default) == []
