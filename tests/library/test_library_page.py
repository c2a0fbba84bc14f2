"""The page of the library: its examples do what they say, and its tables name what is there."""

import doctest
import re
import tomllib

import pytest
from project_copy import REPOSITORY
from stages import TRAININGS

import cloudchamber
from cloudchamber.library.models import LOADERS
from cloudchamber.library.networks import NETWORKS

PAGE = REPOSITORY / "docs/library.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_examples_of_the_page() -> None:
    done = doctest.testfile(str(PAGE), module_relative=False)
    assert done.attempted > 8
    assert not done.failed, "what differs is printed"


@pytest.mark.parametrize("name", [name for name in cloudchamber.__all__ if name != "__version__"])
def test_every_public_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"`{name}\b|`[^`\n]*\bcc\.{name}\b", TEXT), name


def test_every_network_training_and_extra_is_on_the_page() -> None:
    for name in NETWORKS:
        assert f"`{name}`" in TEXT, name
    of_trainings = TEXT.partition("## Trained models")[2].partition("## Networks")[0]
    for step in LOADERS:
        assert re.search(rf"`{step}`|`{step.split()[-1]}`", of_trainings), step
    extras = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in extras:
        assert extra == "test" or f"| `{extra}` |" in TEXT, extra


def test_every_training_of_every_study_is_read_by_load_model() -> None:
    # The classifiers of these two are judged and not kept.
    assert set(LOADERS) == set(TRAININGS) - {"log-posterior", "teacher-test"}
