"""Files of the project that say the same thing in two places agree."""

import ast
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import OVERVIEW_FIGURES, OVERVIEW_TABLES
from cloudchamber.entry_points import load_entry, module_file
from cloudchamber.pipeline.drawing import caption_of
from cloudchamber.pipeline.stages import SHARED_STAGES
from cloudchamber.settings_reference import pages, schema

LOCKED = dict(
    line.split("==")
    for line in (REPOSITORY / "requirements.lock").read_text().lower().replace("_", "-").splitlines()
    if "==" in line and not line.startswith("#")
)


def direct_requirements() -> list[Requirement]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = [text for extra in project["optional-dependencies"].values() for text in extra]
    return [Requirement(text) for text in dict.fromkeys([*project["dependencies"], *extras])]


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


def test_hooks_before_a_commit_are_what_make_lint_runs() -> None:
    recipe = re.search(r"^lint: setup\n((?:\t.*\n)+)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert recipe
    commands = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe[1].splitlines()]
    (local,) = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"]
    assert [hook["entry"] for hook in local["hooks"]] == commands


def _make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in a copy of what it reads itself, where nothing is set up."""
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(REPOSITORY / name, folder)
    shutil.copytree(REPOSITORY / "configs", folder / "configs")
    # Where make itself runs the tests, it hands its own level and flags on.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_make_help_prints_the_targets(tmp_path: Path) -> None:
    done = _make(tmp_path, "help")
    assert done.stdout.startswith("make        set up, run")
    assert done.stdout.splitlines()[-1].startswith("SCALE=standard")


def test_a_scale_that_is_none_ends_make_in_one_line(tmp_path: Path) -> None:
    done = _make(tmp_path, "SCALE=standart")
    assert done.returncode == 2
    (line,) = (done.stdout + done.stderr).splitlines()
    scales = "default, ablation, gpu, jetnet150, jetnet30, jetnet_classes, large, standard, tiny"
    assert f"no scale standart; there are: {scales}" in line


@pytest.mark.parametrize("scale", ["", "default", "standard"])
def test_a_plan_of_make_needs_no_set_up(tmp_path: Path, scale: str) -> None:
    done = _make(tmp_path, "-n", f"SCALE={scale}")
    assert (done.returncode, done.stderr) == (0, "")
    assert " /report.html" not in done.stdout


def test_settings_reference_is_up_to_date() -> None:
    described = {path.stem: path.read_text() for path in (REPOSITORY / "docs/settings").iterdir()}
    assert described == pages(), "run 'make docs'"
    assert (REPOSITORY / "config.schema.json").read_text() == schema(), "run 'make docs'"


def shown() -> dict[str, tuple[str, str]]:
    """Return everything that the report shows: what it is -> entry of what makes it, name of its caption."""
    found: dict[str, tuple[str, str]] = {}
    studies = {f"{study.name}/": (study.figure_functions, study.table_functions) for study in STUDIES.values()}
    for place, kinds in {**studies, "": (OVERVIEW_FIGURES, OVERVIEW_TABLES)}.items():
        for kind, entries in zip(("figure", "table"), kinds, strict=True):
            found |= {f"{kind} {place}{name}": (entry, name) for name, entry in entries.items()}
    return found | {stage: (SHARED_STAGES[stage], stage) for stage in ("summarise", "model-card", "data-table")}


@pytest.mark.parametrize("what", shown())
def test_everything_in_the_report_has_a_caption(what: str) -> None:
    entry, name = shown()[what]
    caption = caption_of(entry, name)
    assert len(caption.split()) > 15
    # It is a paragraph of reStructuredText, not a literal with the indentation of the code.
    assert caption == " ".join(caption.split())
    assert callable(load_entry(entry))


def test_every_caption_is_of_something_in_the_report() -> None:
    package = REPOSITORY / "src/cloudchamber"
    written = set()
    for path in package.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if any(isinstance(target, ast.Name) and target.id == "CAPTIONS" for target in targets):
                names = ast.literal_eval(node.value)
                written |= {(path.relative_to(package).as_posix(), name) for name in names}
    assert written == {(module_file(entry), name) for entry, name in shown().values()}
    assert {path.stem for path in (REPOSITORY / "workflow/report").glob("*.rst")} == {"caption", "workflow"}
    assert len((REPOSITORY / "workflow/report/workflow.rst").read_text()) > 80


def test_a_caption_that_is_not_there_is_named() -> None:
    entry = OVERVIEW_TABLES["settings"]
    with pytest.raises(ValueError, match=r"settings_table\.py: no caption of 'nothing' in CAPTIONS"):
        caption_of(entry, "nothing")
    with pytest.raises(ValueError, match=r"figures/draw\.py: no caption of 'draw' in CAPTIONS"):
        caption_of(SHARED_STAGES["draw"], "draw")
