"""The conda environment of a rule holds the packages that its stage imports."""

import ast
import re
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
import yaml
from project_copy import REPOSITORY
from test_rooms import PACKAGE, imports

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import OVERVIEW_FIGURES, OVERVIEW_TABLES
from cloudchamber.entry_points import module_file
from cloudchamber.pipeline.stages import SHARED_STAGES

STAGES = {**SHARED_STAGES, **{f"{s.name} {name}": entry for s in STUDIES.values() for name, entry in s.stages.items()}}
DRAWINGS = [
    entry for s in STUDIES.values() for table in (s.figure_functions, s.table_functions) for entry in table.values()
]
DRAWINGS += [*OVERVIEW_FIGURES.values(), *OVERVIEW_TABLES.values()]
# The rule of the summary names its code as that of the page and of all answers.
DRAWINGS += [SHARED_STAGES["summarise"], *(study.answer_function for study in STUDIES.values())]
DISTRIBUTIONS = packages_distributions()


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def installed_with(names: list[str]) -> set[str]:
    """Return packages and all that they need."""
    found: set[str] = set()
    waiting = [normal(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            try:
                needed = requires(name) or []
            except PackageNotFoundError:
                continue
            waiting += [normal(re.match(r"[\w.-]+", text)[0]) for text in needed if "extra ==" not in text]  # type: ignore[index]
    return found


def environment(name: str) -> set[str]:
    packages = yaml.safe_load((REPOSITORY / f"envs/{name}.yaml").read_text())["dependencies"][-1]["pip"]
    return installed_with([package.split("==")[0] for package in packages])


def environments_of_rules() -> dict[str, str]:
    """Return the environment of each command, as the rules name it."""
    found = {}
    for path in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^ *rule\b", path.read_text(), flags=re.MULTILINE)[1:]:
            command, chosen = (
                re.search(pattern, rule) for pattern in (r'pipeline\.code\("([^"]+)"\)', r"envs/(\w+)\.yaml")
            )
            if command and chosen:
                found[command[1]] = chosen[1]
    trainings = ("train", "train-jet-flow", "train-tagger", "neutron_stars train", "neutrinos train")
    of_showers = tuple(f"showers {name}" for name in ("train", "train-counts", "train-map"))
    return found | dict.fromkeys((*trainings, *of_showers), "training")


def imported_packages(entry: str) -> set[str]:
    """Return the packages that importing the module of an entry imports: not those inside of functions."""
    waiting, seen, found = [Path(module_file(entry))], set(), set()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        waiting += imports(module)
        for node in ast.parse((PACKAGE / module).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module.partition(".")[0])
    return {name for name in found if name in DISTRIBUTIONS and name != "cloudchamber"}


def missing(entry: str, environment_name: str) -> set[str]:
    there = environment(environment_name)
    return {name for name in imported_packages(entry) if not there & {normal(item) for item in DISTRIBUTIONS[name]}}


@pytest.mark.parametrize(("command", "name"), sorted(environments_of_rules().items()))
def test_the_environment_of_a_rule_has_what_its_stage_imports(command: str, name: str) -> None:
    assert not missing(STAGES[command], name)


@pytest.mark.parametrize("entry", sorted(set(DRAWINGS)))
def test_the_environment_of_drawings_has_what_they_import(entry: str) -> None:
    assert not missing(entry, "evaluation")


def test_the_list_of_commands_is_not_empty() -> None:
    assert {"simulate", "ingest", "compare", "gating count", "train"} <= set(environments_of_rules())
