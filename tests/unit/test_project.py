"""Files of the project that say the same thing in two places agree."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from project_copy import REPOSITORY

from cloudchamber.settings_reference import reference, schema

LOCKED = dict(
    line.split("==")
    for line in (REPOSITORY / "requirements.lock").read_text().lower().replace("_", "-").splitlines()
    if "==" in line and not line.startswith("#")
)


def direct_requirements() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in [*project["dependencies"], *project["optional-dependencies"]["test"]]]


@pytest.mark.parametrize("requirement", direct_requirements(), ids=str)
def test_lock_satisfies_the_project(requirement: Requirement) -> None:
    assert requirement.specifier.contains(Version(LOCKED[requirement.name.lower()]))


@pytest.mark.parametrize("path", sorted((REPOSITORY / "envs").glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments_agree_with_the_lock(path: Path) -> None:
    packages = yaml.safe_load(path.read_text())["dependencies"][-1]["pip"]
    assert packages
    for package in packages:
        name, version = package.lower().split("==")
        assert LOCKED[name] == version, package


@pytest.mark.parametrize("path", sorted((REPOSITORY / "workflow/rules").glob("*.smk")), ids=lambda path: path.stem)
def test_every_job_has_log_benchmark_environment_and_resources(path: Path) -> None:
    text = path.read_text()
    rules = re.split(r"^ *rule\b", text, flags=re.MULTILINE)[1:]
    assert rules
    for rule in rules:
        if "localrule: True" in rule:
            continue
        for directive in ("log:", "benchmark:", "conda:", "threads:", "resources:", "message:"):
            assert directive in rule, (directive, rule[:80])
        assert re.search(r"exec ({params.launcher})?python -m cloudchamber", rule)


def test_settings_reference_is_up_to_date() -> None:
    assert (REPOSITORY / "docs/settings.md").read_text() == reference(), "run 'make docs'"
    assert (REPOSITORY / "config.schema.json").read_text() == schema(), "run 'make docs'"


def test_every_figure_and_table_has_a_caption() -> None:
    from cloudchamber.pipeline.drawings import FIGURES, TABLES
    from cloudchamber.pipeline.tagging_drawings import TAGGING_FIGURES, TAGGING_TABLES

    names = [*(figure for figures in FIGURES.values() for figure in figures), "truncation", "detector_response"]
    names += [*TAGGING_FIGURES, "data", "model_card"]
    for name in [*names, *(f"table_{table}" for table in [*TABLES, *TAGGING_TABLES, "settings"])]:
        assert len((REPOSITORY / f"workflow/report/{name}.rst").read_text().split()) > 15, name
