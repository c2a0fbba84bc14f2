"""The pages of the documentation, their blocks, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

from project_copy import REPOSITORY

__all__ = ["PAGES", "Block", "anchors", "blocks", "commands", "inline_code", "links", "named_files"]

PAGES = sorted(
    [
        *(REPOSITORY / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(REPOSITORY / "docs").rglob("*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@final
@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: as it stands behind the fence.
        text: its lines.
    """

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    return [Block(*found) for found in _FENCE.findall(page.read_text(encoding="utf-8"))]


def commands(block: Block) -> Iterator[str]:
    """Yield the commands of a block of shell, one line each, without comments."""
    text = re.sub(r"\\\n\s*", " ", block.text)
    # A text in quotes may go over several lines.
    text = re.sub(r"'[^']*'", lambda quoted: quoted[0].replace("\n", " "), text)
    for line in text.splitlines():
        for command in re.sub(r"\s+#.*$|^#.*$", "", line).split("&&"):
            if command.strip():
                yield command.strip()


def named_files(page: Path) -> dict[str, str]:
    """Return the files that a page shows: blocks whose first line is a comment with the name."""
    found = (re.match(r"# (\S+\.yaml)\n", block.text) for block in blocks(page))
    return {name[1]: name.string for name in found if name}


def inline_code(page: Path) -> list[str]:
    """Return the code in the running text of a page."""
    return re.findall(r"`([^`\n]+)`", _FENCE.sub("", page.read_text(encoding="utf-8")))


def links(page: Path) -> list[str]:
    """Return the targets of the links and pictures of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]+`", "", text))


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings of a page."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        plain = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        number = 1
        while (anchor := name if number == 1 else f"{name}-{number - 1}") in found:
            number += 1
        found.add(anchor)
    return found
