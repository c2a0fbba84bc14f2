"""Arguments that several sub-commands share."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import SettingsError

__all__ = [
    "add_command",
    "add_files_to_write",
    "add_model",
    "add_output",
    "add_seed_and_output",
    "add_settings",
    "add_training",
    "json_argument",
    "not_negative",
    "positive",
]


def positive(text: str) -> int:
    """Return a whole number above zero, for an option that counts."""
    return _at_least(1, text)


def not_negative(text: str) -> int:
    """Return a whole number that is not below zero."""
    return _at_least(0, text)


def _at_least(lowest: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = lowest - 1
    if number < lowest:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from {lowest} on")
    return number


def add_command(commands: Any, name: str, stage: Callable[..., None], text: str) -> argparse.ArgumentParser:
    """Return a new sub-command that runs ``stage`` with its arguments as keywords."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(stage=stage, outputs=())
    command.add_argument("--threads", type=positive, default=1, help="threads of this process")
    return command


def add_files_to_write(
    command: argparse.ArgumentParser, *names: str, required: bool = True, text: str = "output"
) -> None:
    """Add files that the command writes; beside each goes a record of what made it."""
    for name in names:
        command.add_argument(f"--{name}", type=Path, required=required, help=text)
    outputs = tuple(name.replace("-", "_") for name in names)
    command.set_defaults(outputs=(*command.get_default("outputs"), *outputs))


def add_settings(command: argparse.ArgumentParser, what: str) -> None:
    """Add the settings of ``what``."""
    command.add_argument("--settings", required=True, help=f"settings of {what}: inline JSON, or a YAML or JSON file")


def add_training(command: argparse.ArgumentParser, what: str) -> None:
    """Add what every training takes."""
    command.add_argument("source", type=Path, metavar="prepared")
    add_settings(command, what)
    command.add_argument("--seed", type=not_negative, required=True)
    command.add_argument("--state", type=Path, required=True, help="folder of the resumable state")
    add_files_to_write(command, "weights", "description", "history")


def add_model(command: argparse.ArgumentParser) -> None:
    """Add the two files of a trained model."""
    command.add_argument("--model", nargs=2, type=Path, required=True, metavar=("WEIGHTS", "DESCRIPTION"))


def add_output(command: argparse.ArgumentParser) -> None:
    """Add the file to write."""
    add_files_to_write(command, "output")


def add_seed_and_output(command: argparse.ArgumentParser) -> None:
    """Add the seed of everything random and the file to write."""
    command.add_argument("--seed", type=not_negative, required=True)
    add_output(command)


def json_argument(text: str, option: str = "--files") -> Mapping[str, Any]:
    """Return the keys and values of an option in JSON.

    Raises:
        SettingsError: it is something else.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{option}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{option}: expected keys and values")
    return value
