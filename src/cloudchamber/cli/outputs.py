"""Files that a command would lose: one name for two of its outputs, or for an output and what it reads."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from cloudchamber.errors import SettingsError
from cloudchamber.records.record import files_named

__all__ = ["refuse_lost_files"]


def refuse_lost_files(arguments: Mapping[str, Any], outputs: Sequence[str]) -> None:
    """Refuse outputs that would take the place of each other, or of an input.

    Args:
        arguments: of a command, by name.
        outputs: which of them are files to write.

    Raises:
        SettingsError: the message names options and file.
    """
    written: dict[str, str] = {}
    for name in (name for name in outputs if arguments[name] is not None):
        option, path = f"--{name.replace('_', '-')}", os.path.realpath(arguments[name])
        if path in written:
            raise SettingsError(f"{written[path]} and {option}: both are {arguments[name]}")
        written[path] = option
    if not any(os.path.isfile(path) for path in written):
        return
    for path in files_named({name: value for name, value in arguments.items() if name not in outputs}):
        if (real := os.path.realpath(path)) in written:
            raise SettingsError(f"{written[real]}: {path} is what the command reads")
