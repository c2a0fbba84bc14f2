"""The commands of the command line, as its parser knows them."""

import argparse
from collections.abc import Iterator, Mapping

from cloudchamber.cli import parser

__all__ = ["COMMANDS"]


def _commands(whole: argparse.ArgumentParser, before: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command that runs something, with the name of its study before it."""
    for action in whole._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, command in action.choices.items():
                if command.get_default("entry") is None:
                    yield from _commands(command, f"{name} ")
                else:
                    yield before + name, command


COMMANDS: Mapping[str, argparse.ArgumentParser] = dict(_commands(parser()))
