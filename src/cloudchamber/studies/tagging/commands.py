"""Commands of the tagging study's own."""

from pathlib import Path

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    relevance = commands.add("relevance", "which towers of some jets a tagger looks at")
    relevance.add("jets", type=Path, help="made by combine-classes").model().output()
