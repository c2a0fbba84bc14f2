"""Model cards as tests read them."""

import json
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.cli import main

__all__ = ["commands_of", "section", "table_rows", "write_card"]


def write_card(kind: str, files: Mapping[str, Any], path: Path) -> str:
    """Write a card by its command and return its text."""
    assert main(["model-card", kind, "--files", json.dumps(files), "--output", str(path)]) == 0
    return path.read_text(encoding="utf-8")


def section(card: str, title: str) -> str:
    """Return what stands below a title."""
    found = card.partition(f"## {title}\n")[2].partition("\n## ")[0]
    assert found, title
    return found


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the rows of all tables of a text, heads among them."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line] for line in lines if set("".join(line)) - set("- ")]


def commands_of(card: str) -> list[list[str]]:
    """Return the arguments of the commands that a card tells."""
    blocks = re.findall(r"```\n(cloudchamber .*?)```", card, re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in block.splitlines()]
