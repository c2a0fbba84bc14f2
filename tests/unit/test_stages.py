"""One table says which function each command runs and which code its rule depends on."""

import inspect

import pytest
from commands import COMMANDS
from project_copy import REPOSITORY
from stages import TRAININGS

from cloudchamber.analysis import STUDIES
from cloudchamber.drawings import OVERVIEW_FIGURES, OVERVIEW_TABLES, SHARED_CARDS, cards_of
from cloudchamber.entry_points import annotations_of, load_entry
from cloudchamber.pipeline.stages import SHARED_STAGES, code_of

STAGES = {**SHARED_STAGES, **{f"{s.name} {name}": entry for s in STUDIES.values() for name, entry in s.stages.items()}}
DRAWINGS = {**OVERVIEW_FIGURES, **OVERVIEW_TABLES, **SHARED_CARDS}
for study in STUDIES.values():
    for functions in (study.figure_functions, study.table_functions):
        DRAWINGS |= {f"{study.name}/{name} of {len(functions)}": entry for name, entry in functions.items()}
    DRAWINGS[f"answer of {study.name}"] = study.answer_function
    DRAWINGS |= {f"card {study.name}/{name}": entry for name, entry in cards_of(study.name).items()}


def test_every_command_is_in_the_table_and_the_other_way_round() -> None:
    assert {name: command.get_default("entry") for name, command in COMMANDS.items()} == STAGES


@pytest.mark.parametrize("name", COMMANDS)
def test_options_are_the_arguments_of_the_function(name: str) -> None:
    """A command that hands over what its function does not take fails only where it is used."""
    command = COMMANDS[name]
    own = {"help", "threads"}
    given = {action.dest for action in command._actions if action.dest not in own}
    # One option holds both files of a model.
    for action in command._actions:
        if isinstance(action.nargs, int) and action.dest.endswith("weights"):
            given.add(action.dest.removesuffix("weights") + "description")
    taken = inspect.signature(load_entry(STAGES[name])).parameters
    needed = {argument for argument, item in taken.items() if item.default is inspect.Parameter.empty}
    assert given <= set(taken), given - set(taken)
    assert needed <= given, needed - given
    assert set(command.get_default("conversions")) <= set(annotations_of(load_entry(STAGES[name])))


@pytest.mark.parametrize("entry", [*STAGES.values(), *DRAWINGS.values()])
def test_the_code_of_a_stage_begins_with_the_module_that_it_runs(entry: str) -> None:
    function = load_entry(entry)
    source = inspect.getsourcefile(inspect.unwrap(function))
    assert source is not None
    relative = source.removeprefix(f"{REPOSITORY}/")
    assert relative in code_of(entry)


@pytest.mark.parametrize(
    ("stage", "used", "unused"),
    [
        (
            "compare",
            ("metrics/energy_mover", "metrics/memorisation", "metrics/frechet"),
            ("jets/energy_flow", "jets/per_jet"),
        ),
        ("observe", ("jets/energy_flow", "jets/n_subjettiness"), ("metrics/comparison",)),
        ("evaluate", ("metrics/tables",), ("metrics/comparison", "jets/energy_flow")),
        ("evaluate-taggers", ("classification/measures", "metrics/resampling"), ("metrics/comparison", "jets/per_jet")),
        ("train-tagger", ("networks/particle_flow", "training/trainer"), ("generative/paths",)),
    ],
)
def test_editing_what_a_stage_uses_reruns_it(stage: str, used: tuple[str, ...], unused: tuple[str, ...]) -> None:
    code = code_of(SHARED_STAGES[stage])
    assert {f"src/cloudchamber/{name}.py" for name in used} <= set(code)
    assert not {f"src/cloudchamber/{name}.py" for name in unused} & set(code)


def test_editing_one_figure_redraws_that_figure_alone() -> None:
    functions = STUDIES["tagging"].figure_functions
    changed = "src/cloudchamber/studies/tagging/figures/relevance.py"
    assert [name for name, entry in functions.items() if changed in code_of(entry)] == ["relevance"]


def test_every_training_is_killed_and_resumed_by_the_tests_of_faults() -> None:
    trainings = {
        name for name, command in COMMANDS.items() if {"state", "weights"} <= {a.dest for a in command._actions}
    }
    # The classifier of the log posterior is no model that is kept.
    assert trainings | {"log-posterior", "teacher-test"} == set(TRAININGS)


def test_settings_reach_stages_as_values_and_not_as_code() -> None:
    """A description of a setting may change without a new training."""
    code = {path for entry in STAGES.values() for path in code_of(entry)}
    assert not {path for path in code if path.endswith("settings.py") or "/settings/" in path}
