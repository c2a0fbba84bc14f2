"""Wildcards: the same text names the same files in settings, on the command line and in records."""

import os
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from project_copy import REPOSITORY
from root_files import random_towers, write_delphes

from cloudchamber.analysis import plan
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.records.record import read_record
from cloudchamber.wildcards import existing_files, expand

INGESTION = {"clouds": {"kind": "events"}, "max_particles": 5}
SETTINGS = '{"clouds": {"kind": "events"}, "max_particles": 5}'


def _pipeline(*files: str) -> Pipeline:
    source = {"kind": "delphes", "files": list(files)}
    return _planned({"title": "mine", "source": source, "ingestion": INGESTION})


def _planned(dataset: dict[str, Any]) -> Pipeline:
    studies = {"studies": ["jet_generation"], "jet_generation": {"datasets": ["mine"]}, "detector_response": None}
    default = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    return plan({**default, **studies, "datasets": {"mine": dataset}}, REPOSITORY)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> Path:
    """Files at three depths below the folder "tree", of 1, 2 and 3 events, and what is none of them."""
    monkeypatch.chdir(tmp_path)
    for events, name in enumerate(("tree/b.root", "tree/run/a.root", "tree/run/part/[1].root"), start=1):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        write_delphes(Path(name), {"Tower": random_towers(rng, events)})
    Path("tree/notes.txt").touch()
    Path("tree/folder.root").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    "files",
    [
        ["tree/**/*.root"],
        ["tree/run/part/[1].root", "tree/*.root", "tree/*/*.root"],
        ["./tree//b.root", "tree/run/../b.root", "tree/**/*.root"],
    ],
    ids=["at any depth", "with wildcard characters in a name", "under several names"],
)
def test_settings_and_command_line_mean_the_same_files(tree: Path, files: list[str]) -> None:
    expected = ["tree/b.root", "tree/run/a.root", "tree/run/part/[1].root"]
    pipeline = _pipeline(*files)
    assert pipeline.clouds.files(SimpleNamespace(dataset="mine")) == expected
    assert [entry["file"] for entry in pipeline.sources.all_files()] == expected
    for given in (files, expected):
        assert main(["ingest", *given, "--settings", SETTINGS, "--output", "clouds.h5"]) == 0
        clouds = read_clouds("clouds.h5")
        assert clouds.meta["files"] == expected
        assert clouds.label("file").tolist() == [0, 1, 1, 2, 2, 2]
        record = read_record(Path("clouds.h5"))
        assert record is not None
        assert {os.path.normpath(path) for path in record["inputs"]} == set(expected)


def test_a_folder_with_wildcard_characters_in_its_name_is_that_folder(tree: Path, rng: np.random.Generator) -> None:
    for name in ("tree/run[2]/a.root", "tree/run2/b.root"):
        Path(name).parent.mkdir()
        write_delphes(Path(name), {"Tower": random_towers(rng, 1)})
    assert expand(["tree/run[2]/*.root"]) == [Path("tree/run[2]/a.root")]
    assert expand(["tree/run[2]/**/*.root"]) == [Path("tree/run[2]/a.root")]
    assert expand(["tree/run[23]/*.root"]) == [Path("tree/run2/b.root")]


def test_links_to_a_file_and_to_a_folder_are_no_more_files(tree: Path) -> None:
    Path("tree/run/z.root").symlink_to(tree / "tree/b.root")
    Path("tree/again").symlink_to(tree / "tree/run", target_is_directory=True)
    Path("tree/run/round").symlink_to(tree / "tree", target_is_directory=True)
    found = expand(["tree/**/*.root"])
    assert sorted(os.path.realpath(path) for path in found) == sorted(
        str(tree / name) for name in ("tree/b.root", "tree/run/a.root", "tree/run/part/[1].root")
    )
    assert found == sorted(found) == expand(found)


def test_what_is_no_file_is_one_line(tree: Path) -> None:
    Path("tree/lost.root").symlink_to("nowhere.root")
    for pattern, message in (
        ("tree/z*.root", r"tree/z\*\.root: no file matches"),
        ("tree/folder*", r"tree/folder\*: no file matches"),
        ("tree/none.root", r"tree/none\.root: no such file"),
        ("tree/*.root", r"tree/lost\.root: no such file"),
        ("tree/**.root", r"tree/\*\*\.root: no file matches; \*\* stands for folders alone, as in data/\*\*/\*\.root"),
        ("tree/[^a].root", r"tree/\[\^a\]\.root: no file matches; all characters but some are \[!\.\.\.\], as in "),
        ("tree/run", r"tree/run: a folder; its files are tree/run/\*"),
    ):
        with pytest.raises(InputError, match=message):
            existing_files(["tree/b.root", pattern])
    assert main(["ingest", "tree/*.root", "--settings", SETTINGS, "--output", "clouds.h5"]) == 3
    assert not Path("clouds.h5").exists()
    assert _pipeline("tree/z*.root").clouds.files(SimpleNamespace(dataset="mine")) == ["tree/z*.root"]


def test_all_characters_but_some_are_written_in_one_way(tree: Path) -> None:
    """To most shells "[^b]" is what "[!b]" is, to Python it is "b": the files that were to be left out."""
    Path("tree/c.root").touch()
    assert expand(["tree/[!b].root"]) == [Path("tree/c.root")]
    assert expand(["tree/[^b].root"]) == [Path("tree/[^b].root")]
    Path("tree/[^b]").mkdir()
    Path("tree/[^b]/d.root").touch()
    assert expand(["tree/[^b]/*.root"]) == [Path("tree/[^b]/d.root")]


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        (["tree/b.root", "tree/*.root"], None),
        # Rules write there: files that are not there yet may be made.
        (["results/raw/top/0.root", "data/external/t.hdf5"], None),
        (["tree/b.root", "tree/z*.root"], "no file matches tree/z*.root"),
        (["tree/**.root"], "no file matches tree/**.root; ** stands for folders alone, as in data/**/*.root"),
        (["t/[^b].root"], "no file matches t/[^b].root; all characters but some are [!...], as in part_[!0].root"),
        (["results/raw/z*.root"], "no file matches results/raw/z*.root"),
        (["tree/c.root"], "no such file: tree/c.root"),
        (["results_else/c.root"], "no such file: results_else/c.root"),
    ],
)
def test_files_that_are_not_there_are_refused_before_a_run(tree: Path, files: list[str], fault: str | None) -> None:
    sources = _pipeline(*files).sources
    if fault is None:
        sources.refuse_missing()
    else:
        with pytest.raises(SettingsError, match=f"^{re.escape(f'datasets.mine.source.files: {fault}')}$"):
            sources.refuse_missing()


@pytest.mark.parametrize("pattern", ["**/*.root", "*/raw/*/*.root"])
def test_wildcards_that_match_results_of_the_analysis_are_refused(tree: Path, pattern: str) -> None:
    (tree / "tree/raw/qcd").mkdir(parents=True)
    write_delphes(tree / "tree/raw/qcd/0.root", {"Tower": random_towers(np.random.default_rng(1), 4)})
    _pipeline(pattern).sources.refuse_missing()
    made = tree / "results/raw/top/0.root"
    made.parent.mkdir(parents=True)
    write_delphes(made, {"Tower": random_towers(np.random.default_rng(2), 4)})
    fault = f"datasets.mine.source.files: {pattern} matches results/raw/top/0.root, a result of this analysis"
    with pytest.raises(SettingsError, match=f"^{re.escape(fault)}"):
        _pipeline(pattern).sources.refuse_missing()
    # Who names them means them.
    _pipeline(pattern, "results/raw/*/*.root").sources.refuse_missing()


def test_a_file_of_jets_that_is_not_there_is_refused_before_a_run(tree: Path) -> None:
    source = {"kind": "jetnet", "file": "tree/jets.hdf5"}
    with pytest.raises(SettingsError, match=r"^datasets\.mine\.source\.file: no such file: tree/jets\.hdf5$"):
        _planned({"title": "mine", "source": source}).sources.refuse_missing()


def test_a_folder_that_cannot_be_read_does_not_leave_its_files_out(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(folder: str) -> list[str]:
        if folder == "tree/run":
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    listed = os.listdir
    monkeypatch.setattr(os, "listdir", closed)
    for pattern in ("tree/**/*.root", "tree/*/*.root"):
        with pytest.raises(InputError, match=r"tree/run: files in it are asked for, .* Permission denied"):
            expand([pattern])
    assert expand(["tree/*.root"]) == [Path("tree/b.root")]


def test_hidden_files_are_not_matched(tree: Path) -> None:
    """A file that is being written has such a name."""
    Path("tree/.c.123.root").touch()
    assert expand(["tree/*.root"]) == [Path("tree/b.root")]
    assert expand(["tree/.c.123.root"]) == [Path("tree/.c.123.root")]


def test_an_address_is_told_to_be_one() -> None:
    with pytest.raises(InputError, match=r"^root:/host/x\.root: no such file; only local files are read"):
        existing_files(["root://host//x.root"])
