"""The examples in docstrings do what they say."""

import doctest
import importlib
from pathlib import Path

import pytest
from project_copy import REPOSITORY

SOURCE = REPOSITORY / "src"
# Only these are imported: examples need no package that their module does not.
MODULES = sorted(path.relative_to(SOURCE) for path in SOURCE.rglob("*.py") if ">>> " in path.read_text("utf-8"))


def test_there_are_examples() -> None:
    assert len(MODULES) > 15


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_examples_of_a_module(path: Path) -> None:
    done = doctest.testmod(importlib.import_module(".".join(path.with_suffix("").parts)))
    assert done.attempted, "the examples stand in no docstring"
    assert not done.failed, "what differs is printed"
