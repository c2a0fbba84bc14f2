"""What Snakemake reads from its command line and drops without a word: of what stands there twice, the last counts."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, final

import yaml

from cloudchamber.errors import SettingsError

__all__ = ["overridden_profiles", "refuse_twice"]

_CONFIG = "--config"
# As argparse takes them: the value may stand right behind -C or a sign of equality, and -C behind other letters that
# take no value, as in -npC.
_OPTIONS = {
    _CONFIG: re.compile(rf"{_CONFIG}(=.*)?|-[aDfFklnpStv]*C.*", re.DOTALL),
    "--configfile": re.compile(r"--configfiles?(=.*)?", re.DOTALL),
}
_KEYS = {_CONFIG: ("config", "C"), "--configfile": ("configfile", "configfiles")}


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
    for option in _OPTIONS:
        if _times(option, arguments) > 1:
            raise SettingsError(f"{option} stands there twice, and only the last would count: put all behind one")
    try:
        _refuse_key_twice(entry.partition("=")[0] for entry in entries)
        for entry in entries:
            _refuse_twice_in(entry.partition("=")[2].strip("'\""))
    except SettingsError as error:
        raise SettingsError(f"{_CONFIG}: {error}") from None


def overridden_profiles(arguments: Sequence[str], profiles: Sequence[str | Path]) -> list[str]:
    """Return a line for each profile of Snakemake whose settings of the analysis do not count.

    Those of a later profile take their place, and those of the command line that of all profiles: entries as a whole
    and files as a whole, whatever keys are in them.

    Args:
        arguments: the whole command line.
        profiles: files that Snakemake reads its options from, in its order.
    """
    contents = [(str(path), _profile(Path(path))) for path in profiles]
    lines = []
    for option, keys in _KEYS.items():
        places = [path for path, content in contents if any(content.get(key) is not None for key in keys)]
        if _times(option, arguments):
            places.append("the command line")
        lines += [f"{option.removeprefix('--')} of {path}: that of {places[-1]} alone counts" for path in places[:-1]]
    return lines


def _times(option: str, arguments: Sequence[str]) -> int:
    return sum(_OPTIONS[option].fullmatch(argument) is not None for argument in arguments)


def _profile(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeError, yaml.YAMLError, RecursionError):
        # Snakemake has read it already, perhaps as a template of YAML.
        return {}
    return content if isinstance(content, dict) else {}


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
