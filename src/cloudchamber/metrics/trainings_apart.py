"""Several trainings of one model are told apart by their seeds, and each of them is another one."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.storage import sha256

__all__ = ["refuse_one_training"]


def refuse_one_training(
    listed: Sequence[Mapping[str, Any]], file: str, of: Sequence[str] = ("name",), pieces: str | None = None
) -> None:
    """Refuse what stands for two trainings of a model and is one: its spread over seeds would be none.

    Args:
        listed: a training each, with its "seed".
        file: key of its file.
        of: keys of what trainings of one model share; none where all are of one.
        pieces: key of what pieces of one training, which share their seed, differ in.

    Raises:
        InputError: two files have the same content, or one cannot be read.
        SettingsError: a seed is no whole number, or two trainings of a model have the same one.
    """
    paths: dict[tuple[Any, ...], str] = {}
    told: set[tuple[Any, ...]] = set()
    for item in listed:
        seed, path = item["seed"], str(item[file])
        model = tuple(item[name] for name in of)
        called = f"'{model[0]}'" if model else "the model"
        if type(seed) is not int:
            raise SettingsError(f"--files: seed of {called}: expected a whole number, not {seed!r}")
        key = (*model, seed, item[pieces] if pieces else None)
        if key in told:
            raise SettingsError(f"--files: {called} with seed {seed} stands there twice")
        told.add(key)
        content = (*model, sha256(Path(path)))
        if content in paths:
            raise InputError(f"{path}: what is listed for another training of {called} is that of {paths[content]}")
        paths[content] = path
