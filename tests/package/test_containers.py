"""The recipes of containers, read: what they copy is there and suffices, and versions are those of the project.

Whether an image can be built is tried where there is a builder, which continuous integration need not have.
"""

import re
import shlex
import shutil
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from installed import built
from project_copy import REPOSITORY

from cloudchamber.project_parts import PARTS

DOCKERFILE = (REPOSITORY / "containers/Dockerfile").read_text()
APPTAINER = (REPOSITORY / "containers/cloudchamber.def").read_text()
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]


def copied_by_docker() -> dict[str, str]:
    """Return what the Dockerfile copies: source -> target, relative to the folder of the build."""
    found = {}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = shlex.split(line)
        found |= {source: source if target == "./" else target for source in sources}
    return found


def copied_by_apptainer() -> dict[str, str]:
    section = APPTAINER.partition("%files\n")[2].partition("\n%")[0]
    pairs = [line.split() for line in section.splitlines() if line.strip()]
    return {source: str(Path(target).relative_to("/opt/cloudchamber")) for source, target in pairs}


@pytest.mark.parametrize("copied", [copied_by_docker(), copied_by_apptainer()], ids=["docker", "apptainer"])
def test_what_a_recipe_copies_is_there_and_stays_in_its_place(copied: dict[str, str]) -> None:
    assert copied
    for source, target in copied.items():
        assert (REPOSITORY / source).exists(), source
        assert source == target
    assert set(PARTS) <= set(copied)


def test_both_recipes_copy_and_install_the_same() -> None:
    assert copied_by_docker() == copied_by_apptainer()
    installs = [re.findall(r"pip install .*?'\.\[(.+?)\]'", text) for text in (DOCKERFILE, APPTAINER)]
    assert installs[0] == installs[1]
    (extras,) = installs[0]
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    assert {"simulation", "slurm"} <= set(extras.split(","))


@pytest.mark.parametrize("text", [DOCKERFILE, APPTAINER], ids=["docker", "apptainer"])
def test_packages_are_pinned_and_python_is_that_of_the_environments(text: str) -> None:
    assert re.search(r"PIP_CONSTRAINT=requirements\.lock pip install", text)
    (version,) = re.findall(r"^F[Rr][Oo][Mm]:? python:([\d.]+)-slim-bookworm$", text, re.MULTILINE)
    for path in (REPOSITORY / "envs").glob("*.yaml"):
        assert f"python={version}" in yaml.safe_load(path.read_text())["dependencies"]
    assert PROJECT["requires-python"] == f">={version}"


def test_docker_is_given_what_it_copies_and_nothing_else() -> None:
    rules = [line for line in (REPOSITORY / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    given = {rule[1:] for rule in rules if rule.startswith("!")}
    assert given == set(copied_by_docker())
    assert not [name for name in given for rule in rules[1:] if rule[0] != "!" and fnmatch(name, rule)]


def test_what_is_copied_suffices_for_the_build(tmp_path: Path) -> None:
    for name in copied_by_docker():
        if (REPOSITORY / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(REPOSITORY / name, tmp_path / "build" / name, ignore=ignored)
        else:
            (tmp_path / "build").mkdir(exist_ok=True)
            shutil.copy(REPOSITORY / name, tmp_path / "build")
    assert built(tmp_path / "build", "wheel", tmp_path / "dist").is_file()
