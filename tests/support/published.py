"""A finished analysis of minute size, and checks of what is published of it."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from project_copy import REPOSITORY
from small_study import run

from cloudchamber.analysis import planned, settings_of
from cloudchamber.storage import sha256

__all__ = ["check_checksums", "check_crate", "finish_gating", "validate_submissions"]


def finish_gating() -> Path:
    """Run the study of gating at the scale "tiny" below the working directory, and return its results."""
    settings = settings_of({"studies": ["gating"], "scale": "tiny", "seed": 1}, REPOSITORY).model_dump(mode="json")
    pipeline = planned(settings, "tiny")
    study: Any = pipeline.studies["gating"]
    of_study = ["--settings", study.settings_argument]
    run("gating", "count", *of_study, "--counts", study.counts, "--metrics", study.metrics)
    run("gating", "check-identities", *of_study, "--seed", "1", "--output", study.identities)
    any_job = SimpleNamespace()
    for figure in pipeline.figures():
        files = [f"--{suffix}={figure.path(suffix)}" for suffix in ("pdf", "png")]
        run("draw", figure.key, "--files", figure.arguments(any_job), *files)
    for table in pipeline.tables():
        files = [f"--{option}={table.path(suffix)}" for option, suffix in _TABLE.items()]
        run("tabulate", table.key, "--files", table.arguments(any_job), *files)
    summary = pipeline.summary
    outputs = ["--html", summary.page, "--csv", summary.table]
    run("summarise", summary.studies, "--files", summary.arguments(any_job), *outputs)
    return Path(pipeline.paths.results)


_TABLE = {"html": "html", "csv": "csv", "latex": "tex"}


def validate_submissions(folder: Path) -> None:
    """Have HEPData's own validator read the submission of each study; skip without it."""
    if find_spec("hepdata_validator") is None:
        pytest.skip("the validator of HEPData is not installed (extra 'publish')")
    submissions = sorted((folder / "hepdata").iterdir())
    assert submissions
    # It warns of its own ways with files.
    command = [sys.executable, "-W", "ignore", "-c", "from hepdata_validator.cli import validate; validate()"]
    for submission in submissions:
        done = subprocess.run([*command, "-d", str(submission)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def check_crate(folder: Path) -> None:
    """Assert what RO-Crate 1.1 asks of a crate, and that it describes every file."""
    content = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert content["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"])
    descriptor, root = entities["ro-crate-metadata.json"], entities["./"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert {"@type", "name", "description", "datePublished", "license"} <= set(root)
    for entity in entities.values():
        assert "@type" in entity
        for key, value in entity.items():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict) and key not in ("conformsTo",):
                    assert item["@id"] in entities, (entity["@id"], key)
    parts = {part["@id"] for part in root["hasPart"]}
    assert parts == {name for name, entity in entities.items() if entity["@type"] == "File"}
    apart = {"ro-crate-metadata.json", ".zenodo.json", "sha256sums.txt"}
    assert parts == {path for path in _files(folder) if path not in apart}
    for name in parts:
        assert entities[name]["sha256"] == sha256(folder / name)
        assert entities[name]["contentSize"] == str((folder / name).stat().st_size)


def check_checksums(folder: Path) -> None:
    """Assert that the list of checksums names every other file, with its checksum."""
    lines = (folder / "sha256sums.txt").read_text(encoding="utf-8").splitlines()
    listed = {path: digest for digest, path in (line.split("  ") for line in lines)}
    assert listed == {path: sha256(folder / path) for path in _files(folder) if path != "sha256sums.txt"}


def _files(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
