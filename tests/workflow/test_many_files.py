"""A data set of more files than one job reads: groups of them, their clouds joined, and files that are replaced."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from project_copy import copy_project
from root_files import random_towers, write_delphes
from tiny_run import overlay, planned, run, snakemake

from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.storage import sha256

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CLOUDS, TABLE = "results_tiny/clouds/mine.h5", "results_tiny/data.csv"
CONFIGS = ("configs/tiny.yaml", "own.yaml")
INGESTION = {"clouds": {"kind": "reclustered", "pt_window": [5, 1e5]}, "max_particles": 20, "weight_branch": None}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("many"))
    (folder / "data").mkdir()
    for number in range(5):
        write_delphes(folder / f"data/{number}.root", {"Tower": random_towers(np.random.default_rng(number), 30)})
    (folder / "data/4.root").rename(folder / "other.root")
    source = {"kind": "delphes", "files": ["data/*.root"]}
    settings = {
        "studies": ["jet_generation"],
        "detector_response": None,
        "datasets": {"mine": {"title": "mine", "source": source, "ingestion": INGESTION, "files_per_job": 2}},
        "jet_generation": {"datasets": ["mine"]},
    }
    overlay(folder, "own.yaml", settings)
    return folder


def _run(folder: Path, *options: str) -> str:
    return snakemake(folder, CLOUDS, TABLE, *options, configs=CONFIGS)


def test_clouds_are_those_of_one_job_and_the_table_has_all_files(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = planned(_run(project, "--dry-run"))
    assert (jobs["ingest_group"], jobs["join_groups"]) == (2, 1)
    assert "ingest" not in jobs
    _run(project)
    monkeypatch.chdir(project)
    merged = yaml.safe_load(json.dumps(INGESTION))
    ingest([f"data/{number}.root" for number in range(4)], IngestionSettings.model_validate(merged), Path("whole.h5"))
    assert sha256(CLOUDS) == sha256("whole.h5")
    table = Path(TABLE).read_text()
    assert all(f"data/{number}.root" in table and sha256(f"data/{number}.root") in table for number in range(4))
    assert "Nothing to be done" in _run(project, "--dry-run")


def test_a_file_replaced_by_an_older_one_is_ingested_again_with_its_group(project: Path) -> None:
    shutil.copy(project / "other.root", project / "data/3.root")
    os.utime(project / "data/3.root", (1e9, 1e9))
    jobs = planned(_run(project, "--dry-run"))
    assert (jobs["ingest_group"], jobs["join_groups"], jobs["data_table"]) == (1, 1, 1)
    _run(project)
    assert "Nothing to be done" in _run(project, "--dry-run")


def test_a_file_of_the_same_size_and_time_stops_the_table(project: Path) -> None:
    path = project / "data/0.root"
    content, status = bytearray(path.read_bytes()), path.stat()
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, (status.st_atime, status.st_mtime))
    assert "Nothing to be done" in _run(project, "--dry-run"), "size and time do not show it"
    done = run(project, TABLE, "--forcerun", "data_table", configs=CONFIGS)
    assert done.returncode != 0
    part = "results_tiny/clouds/mine_1-of-2.h5"
    assert f"data/0.root: {part} was made from another file of this name (SHA-256 differs)" in done.stdout
