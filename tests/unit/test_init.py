"""``cloudchamber init``: what it refuses, and that it leaves all or nothing."""

import shutil
from pathlib import Path

import pytest
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.cli import main
from cloudchamber.errors import InputError, StorageError
from cloudchamber.project import code_folder, init_project
from cloudchamber.project_parts import PARTS
from cloudchamber.settings.base import read_yaml
from cloudchamber.sources import PACKAGE


def test_a_new_folder_is_made_with_those_above(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "above/analysis")]) == 0
    told = capsys.readouterr().err
    assert told == f"{tmp_path}/above/analysis: ready; in it 'snakemake --cores all' runs the analysis of config.yaml\n"
    assert sorted(path.name for path in (tmp_path / "above/analysis").iterdir()) == sorted(PARTS)


def test_an_empty_folder_is_filled_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    init_project(Path())
    assert (Path.cwd() / "Snakefile").read_bytes() == (REPOSITORY / "Snakefile").read_bytes()


@pytest.mark.parametrize(("name", "what"), [("folder", "is not empty"), ("file", "is no folder")])
def test_what_is_there_is_refused_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, what: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/notes").write_text("mine")
    (tmp_path / "file").write_text("mine")
    assert main(["init", str(tmp_path / name)]) == InputError.exit_status
    line = f"cloudchamber init: {tmp_path}/{name}: {what}; name a new or an empty one\n"
    assert capsys.readouterr().err == line
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "notes"]


@pytest.mark.parametrize("exists", [False, True])
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "above/analysis"
    if exists:
        target.mkdir(parents=True)
    monkeypatch.setattr(shutil, "copy", full)
    with pytest.raises(StorageError, match=r"analysis: cannot be written: .*No space left on device"):
        init_project(target)
    assert not list(target.iterdir()) if exists else not (tmp_path / "above").exists()


def test_a_checkout_is_its_own_code_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert code_folder(REPOSITORY) == REPOSITORY / "src"
    monkeypatch.chdir(tmp_path)
    found = code_folder(tmp_path / "analysis")
    assert found == tmp_path / ".snakemake/cloudchamber"
    assert (found / "cloudchamber").resolve() == PACKAGE.resolve()
    # A package that was installed anew elsewhere takes the place of the old one.
    (found / "cloudchamber").unlink()
    (found / "cloudchamber").symlink_to(tmp_path)
    assert (code_folder(tmp_path / "analysis") / "cloudchamber").resolve() == PACKAGE.resolve()


def test_rules_depend_on_the_package_that_jobs_run(tmp_path: Path) -> None:
    """Without sources beside the Snakefile that is the installed package; its modules are there."""
    config = {**read_yaml(REPOSITORY / "config.yaml"), "studies": ["gating"], "scale": "tiny"}
    shutil.copytree(REPOSITORY / "configs", tmp_path / "configs")
    for pipeline, folder in ((plan(config, tmp_path), PACKAGE), (plan(config, REPOSITORY), "src/cloudchamber")):
        code = [
            *pipeline.code("gating count"),
            *pipeline.code_of_summary(),
            *pipeline.code_of_drawing("draw", pipeline.figures()[0]),
        ]
        assert {path for path in code if not path.startswith(f"{folder}/")} == set()
        assert all(Path(path).is_file() or (REPOSITORY / path).is_file() for path in code)
