"""Options of commands: what a stage of the pipeline or of a study is called with.

An option has the name of the argument of the function behind the command. Settings are read with the model that the
function's annotation names, so that a command and its function cannot disagree.
"""

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, final

from cloudchamber.errors import SettingsError

__all__ = ["Commands", "Conversion", "not_negative", "positive"]

# Makes an argument of a function from the text of an option and the annotation of the argument.
Conversion = Callable[[Any, Any], Any]


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


@final
class Commands:
    """Adds commands to a parser.

    Args:
        parsers: sub-commands of a parser, what its ``add_subparsers`` returned.
        stages: command -> entry, the function that it runs (:mod:`cloudchamber.entry_points`).
    """

    def __init__(self, parsers: Any, stages: Mapping[str, str]) -> None:
        self._parsers, self._stages = parsers, stages

    def add(self, name: str, text: str) -> "Options":
        """Add a command of the table of stages and return its options."""
        parser = self._parsers.add_parser(name, help=text, description=text)
        parser.set_defaults(entry=self._stages[name], outputs=(), conversions={}, given=())
        options = Options(parser)
        return options.add("--threads", type=positive, default=1, help="threads of this process")


@final
class Options:
    """Options of one command. Methods return the options themselves, so that calls can follow each other."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser

    def add(self, *names: str, **options: Any) -> "Options":
        """Add an option as argparse does; one that takes values is refused where it stands twice."""
        if names[0].startswith("-"):
            options.setdefault("action", _Once)
        self._parser.add_argument(*names, **options)
        return self

    def converted(self, dest: str, conversion: Conversion) -> "Options":
        """Make the argument ``dest`` from its text when the command runs, where what is wrong prints as one line."""
        self._parser.set_defaults(conversions={**self._parser.get_default("conversions"), dest: conversion})
        return self

    def outputs(self, *names: str, required: bool = True, text: str = "output") -> "Options":
        """Add files that the command writes; beside each goes a record of what made it."""
        for name in names:
            self.add(f"--{name}", type=Path, required=required, help=text)
        written = tuple(name.replace("-", "_") for name in names)
        self._parser.set_defaults(outputs=(*self._parser.get_default("outputs"), *written))
        return self

    def output(self) -> "Options":
        """Add the one file that the command writes."""
        return self.outputs("output")

    def settings(self, what: str, name: str = "settings", default: str | None = None) -> "Options":
        """Add the settings of ``what``; without a default they must be given."""
        text = f"settings of {what}: inline JSON, or a YAML or JSON file"
        self.add(f"--{name}", required=default is None, default=default, help=text)
        return self.converted(name, _settings)

    def json(self, option: str, text: str) -> "Options":
        """Add keys and values in JSON, which may come from standard input: an argument has 128 kB at most."""
        self.add(option, required=True, type=_text, help=f"JSON: {text}; - reads it from standard input")
        return self.converted(option.lstrip("-"), lambda value, _: _json(value, option))

    def named_files(self, option: str, text: str) -> "Options":
        """Add files by names, as in NAME=FILE."""
        self.add(option, nargs="+", required=True, metavar="NAME=FILE", help=text)
        return self.converted(option.lstrip("-"), lambda items, _: _named_files(items, option))

    def seed(self) -> "Options":
        """Add the seed of everything random."""
        return self.add("--seed", type=not_negative, required=True)

    def model(self, role: str = "") -> "Options":
        """Add the two files of a trained model: the arguments ``weights`` and ``description``.

        The model of a ``role`` is an option of this name, with the arguments ``role_weights`` and ``role_description``.
        """
        return self.add(
            f"--{role or 'model'}", nargs=2, type=Path, required=True, action=_WeightsAndDescription,
            dest=f"{role}_weights".lstrip("_"), metavar=("WEIGHTS", "DESCRIPTION"),
            help="weights and description of a trained model",
        )  # fmt: skip

    def training(self, what: str) -> "Options":
        """Add what every training takes and writes."""
        self.settings(what).seed()
        self.add("--state", type=Path, required=True, help="folder of the resumable state")
        return self.outputs("weights", "description", "history")


class _Once(argparse.Action):
    """An option that stands there once: of two, argparse takes the last without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        if self.dest in namespace.given:
            raise argparse.ArgumentError(self, "stands there twice, and only the last would count")
        namespace.given = (*namespace.given, self.dest)
        self._set(namespace, values)

    def _set(self, namespace: argparse.Namespace, values: str | Sequence[Any] | None) -> None:
        setattr(namespace, self.dest, values)


@final
class _WeightsAndDescription(_Once):
    """Two files of one option become two arguments."""

    def _set(self, namespace: argparse.Namespace, values: str | Sequence[Any] | None) -> None:
        assert isinstance(values, list), "argparse gives as many as nargs says"
        setattr(namespace, self.dest, values[0])
        setattr(namespace, self.dest.removesuffix("weights") + "description", values[1])


def _text(given: str) -> str:
    return sys.stdin.read() if given == "-" else given


def _settings(text: str, model: Any) -> Any:
    # Commands without settings need not wait for what reads them.
    from cloudchamber.settings.base import load

    return load(model, text)


def _json(text: str, option: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=lambda pairs: _different(pairs, option))
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{option}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise SettingsError(f"{option}: expected keys and values")
    return value


def _different(pairs: Sequence[tuple[str, Any]], option: str) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        raise SettingsError(
            f"{option}: key '{next(name for name in names if names.count(name) > 1)}' stands there twice"
        )
    return made


def _named_files(items: Sequence[str], option: str) -> Mapping[str, Path]:
    named = dict(item.partition("=")[::2] for item in items)
    if len(named) != len(items) or not all(named.values()):
        raise SettingsError(f"{option}: expected NAME=FILE items with different names")
    return {name: Path(path) for name, path in named.items()}
