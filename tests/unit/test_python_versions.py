"""The package on the other versions of Python that it is said to run on, where they are installed."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from project_copy import REPOSITORY

VERSIONS = ("3.12", "3.13")
# What the commands below import.
NEEDED = ("awkward", "fastjet", "h5py", "numba", "numpy", "pydantic", "tqdm", "uproot", "yaml")


def interpreter(version: str) -> str:
    """Return a Python of a version: CLOUDCHAMBER_PYTHON_3_12 and its like name one that has the packages."""
    named = os.environ.get(f"CLOUDCHAMBER_PYTHON_{version.replace('.', '_')}")
    found = [
        named,
        shutil.which(f"python{version}"),
        *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")),
    ]
    for path in map(str, filter(None, found)):
        told = run(path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        if told.returncode == 0 and told.stdout.strip() == version:
            return path
    pytest.skip(f"Python {version} is not installed")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_modules_are_programs_of_that_version(version: str) -> None:
    program = (
        "import pathlib, sys, warnings; warnings.simplefilter('error');"
        "paths = pathlib.Path(sys.argv[1]).rglob('*.py');"
        "[compile(path.read_text(encoding='utf-8'), str(path), 'exec') for path in paths]"
    )
    done = run(interpreter(version), "-c", program, str(REPOSITORY / "src"))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_own_files_become_prepared_jets_there(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    missing = [name for name in NEEDED if run(python, "-c", f"import {name}").returncode]
    if missing:
        variable = f"CLOUDCHAMBER_PYTHON_{version.replace('.', '_')}"
        pytest.skip(f"Python {version} lacks {', '.join(missing)}: {variable} names one that has them")
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    assert config, "the settings of an analysis are read there too"
    raw, clouds, prepared = (tmp_path / name for name in ("raw.root", "clouds.h5", "prepared.h5"))
    program = "; ".join(
        [
            "import sys; sys.path.insert(0, sys.argv[1])",
            "import numpy as np; from root_files import random_towers, write_delphes",
            "write_delphes(sys.argv[2], {'Tower': random_towers(np.random.default_rng(1), 60)})",
        ]
    )
    ingestion = {"clouds": {"kind": "reclustered", "pt_window": [5, 1e5]}, "max_particles": 20}
    for arguments in (
        ("-c", program, str(REPOSITORY / "tests/support"), str(raw)),
        ("-m", "cloudchamber", "ingest", str(raw), "--settings", json.dumps(ingestion), "--output", str(clouds)),
        ("-m", "cloudchamber", "prepare", str(clouds), "--settings", "{}", "--seed", "1", "--output", str(prepared)),
        ("-m", "cloudchamber", "inspect", str(prepared)),
    ):
        done = run(python, *arguments)
        assert done.returncode == 0, done.stderr
