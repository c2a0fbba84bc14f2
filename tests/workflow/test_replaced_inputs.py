"""Files of the user and modules replaced by older ones: what was made of them is made anew, or the run stops."""

import os
import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from prepared_jets import write_prepared_jets
from project_copy import copy_project
from tiny_run import overlay, planned, run, snakemake

from cloudchamber.cloud_file import read_clouds
from cloudchamber.readers.jetnet import convert_to_jetnet

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

PREPARED, TABLE = "results_tiny/prepared/mine.h5", "results_tiny/data.csv"
CLOUDS = "results_tiny/clouds/mine.h5"
CONFIGS = ("configs/tiny.yaml", "own.yaml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with jets of the user, split by a file of the user, of which clouds have been made."""
    folder = copy_project(tmp_path_factory.mktemp("replaced"))
    (folder / "data").mkdir()
    for name, seed in (("jets", 1), ("other", 2)):
        write_prepared_jets(folder / "prepared.h5", jets=60, seed=seed)
        convert_to_jetnet(folder / "prepared.h5", folder / f"data/{name}.hdf5")
        rows = np.random.default_rng(seed).permutation(60)
        parts = {"train": rows[:30], "validation": rows[30:40], "test": rows[40:]}
        with h5py.File(folder / f"data/{name}_split.h5", "w") as file:
            for part, chosen in parts.items():
                file[part] = chosen
    preparation = {"split": {"indices": "data/jets_split.h5"}}
    source = {"kind": "jetnet", "file": "data/jets.hdf5"}
    settings = {
        "studies": ["jet_generation"],
        "detector_response": None,
        "datasets": {"mine": {"title": "mine", "source": source, "preparation": preparation}},
        "jet_generation": {"datasets": ["mine"]},
    }
    overlay(folder, "own.yaml", settings)
    _run(folder)
    return folder


def _run(folder: Path, *options: str) -> str:
    return snakemake(folder, PREPARED, TABLE, *options, configs=CONFIGS)


def _replace(folder: Path, name: str, when: float | None) -> None:
    """Put the other file in the place of one, with a time of its own or that of the old one."""
    path, other = folder / f"data/{name}", folder / f"data/{name.replace('jets', 'other')}"
    before = path.stat()
    kept = path.read_bytes()
    shutil.copy(other, path)
    other.write_bytes(kept)
    os.utime(path, (when, when) if when else (before.st_atime, before.st_mtime))


@pytest.mark.parametrize(
    ("name", "rules"),
    [("jets.hdf5", {"from_jetnet", "prepare", "data_table"}), ("jets_split.h5", {"prepare", "data_table"})],
)
def test_a_file_replaced_by_an_older_one(project: Path, name: str, rules: set[str]) -> None:
    assert "Nothing to be done" in _run(project, "--dry-run")
    old = (project / TABLE).read_text(encoding="utf-8")
    _replace(project, name, 1e9)
    assert set(planned(_run(project, "--dry-run"))) == rules | {"total"}
    _run(project)
    assert (project / TABLE).read_text(encoding="utf-8") != old
    assert "Nothing to be done" in _run(project, "--dry-run")


def test_a_module_replaced_by_an_older_one(project: Path) -> None:
    module = project / "src/cloudchamber/readers/jetnet.py"
    before = module.read_text(encoding="utf-8")
    module.write_text(before + "\n# as copied with its time, or changed while the job ran\n", encoding="utf-8")
    os.utime(module, (1e9, 1e9))
    try:
        assert "from_jetnet" in planned(_run(project, "--dry-run"))
    finally:
        module.write_text(before, encoding="utf-8")
        os.utime(module, (1e9, 1e9))
    assert "Nothing to be done" in _run(project, "--dry-run")


def test_a_file_of_the_same_size_and_time_stops_the_table(project: Path) -> None:
    before = (project / TABLE).read_bytes()
    points = read_clouds(project / CLOUDS).points
    _replace(project, "jets.hdf5", None)
    assert "Nothing to be done" in _run(project, "--dry-run"), "size and time do not show it"
    done = run(project, TABLE, "--forcerun", "data_table", configs=CONFIGS)
    assert done.returncode != 0
    assert f"data/jets.hdf5: {CLOUDS} was made from another file of this name (SHA-256 differs)" in done.stdout
    assert f"snakemake --forcerun {CLOUDS}" in done.stdout
    assert np.array_equal(read_clouds(project / CLOUDS).points, points)
    # As the line says.
    _run(project, "--forcerun", CLOUDS)
    assert not np.array_equal(read_clouds(project / CLOUDS).points, points)
    assert (project / TABLE).read_bytes() != before


def test_results_of_which_snakemake_has_no_notes_are_said(project: Path) -> None:
    shutil.rmtree(project / ".snakemake/metadata")
    (project / PREPARED).unlink()
    assert f"such as {CLOUDS}: they are of another folder" in _run(project)
    (project / PREPARED).unlink()
    assert "is not seen where --rerun-triggers leaves out params" in _run(project, "--rerun-triggers", "mtime")
    # Once they are made anew, there is nothing to say.
    _run(project, "--forceall")
    (project / PREPARED).unlink()
    assert "is not seen" not in _run(project)


def test_a_profile_whose_settings_do_not_count_is_said(project: Path) -> None:
    profile = project / "general.yaml"
    profile.write_text("config: [seed=7]\n", encoding="utf-8")
    (project / PREPARED).unlink()
    said = _run(project, "--profile", str(profile), "--config", "seed=1")
    assert f"no effect: config of {profile}: that of the command line alone counts" in said
    assert "no effect: config of" not in _run(project, "--forceall", "--profile", str(profile))
