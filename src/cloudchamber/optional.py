"""Packages that only some commands need; they come with an extra of the project."""

import importlib
from typing import Any

from cloudchamber.errors import InputError

__all__ = ["optional_package"]


def optional_package(name: str, extra: str, purpose: str) -> Any:
    """Return a module of an extra.

    Args:
        name: of the module.
        extra: of the project, with which the package comes.
        purpose: what needs it, such as "the export".

    Raises:
        InputError: it is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise InputError(f"{purpose} needs the package '{package}': pip install 'cloudchamber[{extra}]'") from error
