"""Files themselves: what made them, whether they are what was written."""

from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import add_command

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the sub-commands to the parser."""
    inspect = add_command(commands, "inspect", _inspect, "say what made a file and verify it")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true", help="for machines")

    verify = add_command(commands, "verify", _verify, "find what is damaged, missing or stale in a results folder")
    verify.add_argument("folder", type=Path)
    verify.add_argument("--json", action="store_true", help="for machines")


def _inspect(file: Path, json: bool) -> None:
    from cloudchamber.provenance.inspection import inspect

    inspect(file, json)


def _verify(folder: Path, json: bool) -> None:
    from cloudchamber.provenance.verification import verify

    verify(folder, json)
