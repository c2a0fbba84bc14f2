"""What Snakemake reads from its command line and drops without a word: of what stands there twice, the last counts."""

import re
from collections.abc import Iterable, Sequence
from typing import final

import yaml

from cloudchamber.errors import SettingsError

__all__ = ["refuse_twice"]

_CONFIG = "--config"
# As argparse takes them: the value may stand right behind -C or a sign of equality, and -C behind other letters that
# take no value, as in -npC.
_OPTIONS = {
    _CONFIG: re.compile(rf"{_CONFIG}(=.*)?|-[aDfFklnpStv]*C.*", re.DOTALL),
    "--configfile": re.compile(r"--configfiles?(=.*)?", re.DOTALL),
}


@final
class _Loader(yaml.loader.BaseLoader):  # type: ignore[misc]  # yaml has no annotations
    """Reads a value as Snakemake does, but refuses a key that stands there twice."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        _refuse_key_twice(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        return node


def refuse_twice(arguments: Sequence[str], entries: Sequence[str]) -> None:
    """Refuse what the command line of Snakemake says twice.

    Args:
        arguments: the whole command line.
        entries: NAME=VALUE behind ``--config``.

    Raises:
        SettingsError: an option of settings stands there twice, or a key does, at any depth.
    """
    for option, spelling in _OPTIONS.items():
        if sum(spelling.fullmatch(argument) is not None for argument in arguments) > 1:
            raise SettingsError(f"{option} stands there twice, and only the last would count: put all behind one")
    try:
        _refuse_key_twice(entry.partition("=")[0] for entry in entries)
        for entry in entries:
            _refuse_twice_in(entry.partition("=")[2].strip("'\""))
    except SettingsError as error:
        raise SettingsError(f"{_CONFIG}: {error}") from None


def _refuse_twice_in(value: str) -> None:
    try:
        yaml.load(value, _Loader)
    except (yaml.YAMLError, RecursionError):
        # To Snakemake it is a text.
        return


def _refuse_key_twice(keys: Iterable[str]) -> None:
    found: set[str] = set()
    for key in keys:
        if key in found:
            raise SettingsError(f"key '{key}' stands there twice")
        found.add(key)
