"""Files themselves: what made them, whether they are what was written, model cards, the table of data."""

from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import add_command, add_output, json_argument

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the sub-commands to the parser."""
    inspect = add_command(commands, "inspect", _inspect, "say what made a file and verify it")
    inspect.add_argument("file", type=Path)
    inspect.add_argument("--json", action="store_true", help="for machines")

    verify = add_command(commands, "verify", _verify, "find what is damaged, missing or stale in a results folder")
    verify.add_argument("folder", type=Path)
    verify.add_argument("--json", action="store_true", help="for machines")

    card = add_command(commands, "model-card", _model_card, "describe a trained model in Markdown")
    card.add_argument("--files", required=True, help="JSON: the trainings of the model, its samplers, the metrics")
    add_output(card)

    data = add_command(commands, "data-table", _data_table, "list raw and external files with their hashes")
    data.add_argument("--files", required=True, help="JSON: a list 'files', file and source of each")
    add_output(data)


def _inspect(file: Path, json: bool) -> None:
    from cloudchamber.provenance.inspection import inspect

    inspect(file, json)


def _verify(folder: Path, json: bool) -> None:
    from cloudchamber.provenance.verification import verify

    verify(folder, json)


def _model_card(files: str, output: Path) -> None:
    from cloudchamber.provenance.model_card import model_card

    model_card(json_argument(files), output)


def _data_table(files: str, output: Path) -> None:
    from cloudchamber.provenance.data_table import data_table

    data_table(json_argument(files), output)
