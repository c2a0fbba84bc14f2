"""Functions by name, so that a stage is imported only when it runs.

An entry is "module:function", the module relative to the package: "training.trainer:fit". One entry says both what a
command calls and which source files its result depends on.
"""

import typing
from collections.abc import Callable
from importlib import import_module
from typing import Any

__all__ = ["annotations_of", "load_entry", "module_file"]


def load_entry(entry: str) -> Callable[..., Any]:
    """Import the module of an entry and return its function."""
    module, _, name = entry.partition(":")
    function: Callable[..., Any] = getattr(import_module(f"cloudchamber.{module}"), name)
    return function


def module_file(entry: str) -> str:
    """Return the module of an entry as a path relative to the package, such as "training/trainer.py"."""
    return entry.partition(":")[0].replace(".", "/") + ".py"


def annotations_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotations of a function's arguments, metadata of ``Annotated`` included."""
    return typing.get_type_hints(function, include_extras=True)
