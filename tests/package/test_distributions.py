"""Wheel and sdist, the package installed from them, and the pipeline that it brings."""

import os
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from installed import Installed
from project_copy import REPOSITORY
from tiny_run import planned

import cloudchamber
from cloudchamber.project_parts import IGNORED, PARTS

PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def pipeline_files() -> set[str]:
    """Return the files of the pipeline in the checkout."""
    found = set()
    for part in PARTS:
        paths = [REPOSITORY / part] if (REPOSITORY / part).is_file() else (REPOSITORY / part).rglob("*")
        found |= {str(path.relative_to(REPOSITORY)) for path in paths if path.is_file()}
    return {name for name in found if not set(Path(name).parts) & set(IGNORED)}


def test_the_wheel_holds_package_plugins_and_pipeline(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as wheel:
        names = set(wheel.namelist())
        for name in pipeline_files():
            assert wheel.read(f"cloudchamber/project/{name}") == (REPOSITORY / name).read_bytes(), name
    source = REPOSITORY / "src"
    modules = {str(path.relative_to(source)) for path in source.rglob("*.py")}
    data = {f"cloudchamber/{path.name}" for path in (source / "cloudchamber").glob("*.csv")}
    # With it type checkers read the annotations of the installed package.
    data.add("cloudchamber/py.typed")
    assert modules | data <= names
    others = {name for name in names if ".dist-info/" not in name} - modules - data
    assert {
        name for name in others if not name.startswith(("cloudchamber/project/", "cloudchamber/data_checks/"))
    } == set()


def test_the_sdist_builds_the_same_wheel(installed: Installed) -> None:
    """The wheel of these tests is built from the sdist; what it needs is therefore there."""
    with tarfile.open(installed.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert pipeline_files() <= names
    assert {"setup.py", "pyproject.toml", "requirements.lock", "LICENSE", "README.md"} <= names
    assert not [name for name in names if name.endswith(".pyc") or name.startswith((".git", "results"))]


def test_the_installed_package_is_the_one_that_is_imported(installed: Installed, tmp_path: Path) -> None:
    program = "import cloudchamber, sys; print(cloudchamber.__file__); print(cloudchamber.__version__)"
    place, version = installed.run(tmp_path, "-c", program).splitlines()
    assert Path(place).is_relative_to(installed.python.parents[1])
    assert version == cloudchamber.__version__ == PROJECT["version"]
    assert version in installed.wheel.name
    script = installed.python.parent / "cloudchamber"
    assert version in installed.run(tmp_path, script, "--version")
    judged = "import cloudchamber as cc; print(cc.w1([1.0, 2.0], [2.0, 3.0]).value)"
    assert installed.run(tmp_path, "-c", judged) == "1.0\n"


REQUIREMENTS = """
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from packaging.requirements import Requirement

extras = metadata("cloudchamber").get_all("Provides-Extra")
print(*sorted(extras))
for text in requires("cloudchamber"):
    needed = Requirement(text)
    if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
        try:
            assert needed.specifier.contains(version(needed.name)), text
        except PackageNotFoundError:
            # Not every extra is installed where the tests run.
            assert needed.marker is not None, text
without = {Requirement(text).name for text in requires("cloudchamber") if "extra ==" not in text}
assert not without & {"pythia8mc", "snakemake-executor-plugin-slurm", "pytest"}, without
"""


def test_the_requirements_of_the_wheel_are_met_by_the_pinned_packages(installed: Installed, tmp_path: Path) -> None:
    found = installed.run(tmp_path, "-c", REQUIREMENTS).split()
    assert found == sorted(PROJECT["optional-dependencies"])
    assert {"simulation", "geant4", "hepmc", "parquet", "export", "slurm"} <= set(found)


@pytest.mark.slow
def test_init_and_a_dry_run_of_everything(installed: Installed, tmp_path: Path) -> None:
    """From the wheel to a plan of the whole analysis in an empty folder, without a checkout."""
    printed = installed.run(tmp_path, "-m", "cloudchamber", "init", "analysis")
    assert printed.startswith("analysis: ready; in it ")
    folder = tmp_path / "analysis"
    assert {path.name for path in folder.iterdir()} == set(PARTS)
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == pipeline_files()
    # Everybody who may read the folder may read its files, whoever installed the package.
    assert all(os.access(folder / name, os.W_OK) for name in files)
    output = installed.run(folder, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", "configs/tiny.yaml")
    jobs = planned(output)
    assert {"all", "simulate", "train", "gating_count", "summarise"} <= set(jobs)
    assert jobs["total"] > 100
    assert "MissingInput" not in output


@pytest.mark.slow
def test_a_job_runs_from_the_installed_package(installed: Installed, tmp_path: Path) -> None:
    installed.run(tmp_path, "-m", "cloudchamber", "init", "with a space")
    folder, target = tmp_path / "with a space", "results_tiny/gating/counts.csv"
    installed.run(folder, "-m", "snakemake", "--cores", "1", "--configfile", "configs/tiny.yaml", "--", target)
    assert (folder / target).read_text().startswith("family,inputs,functions")
    (log,) = (folder / "logs").rglob("*count*.log")
    # Jobs in a conda environment find the package, and none of the packages beside it.
    code = folder / ".snakemake/cloudchamber"
    assert str(code) in log.read_text().splitlines()[0]
    assert [path.name for path in code.iterdir()] == ["cloudchamber"]
    assert (code / "cloudchamber").resolve().is_relative_to(installed.python.parents[1])
