"""Several trainings of one model are told by their seeds: the files of one of them under two seeds are refused."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.storage import sha256

__all__ = ["refuse_one_training"]


def refuse_one_training(listed: Sequence[Mapping[str, Any]], file: str, of: Sequence[str] = ("name",)) -> None:
    """Refuse one file that stands for two trainings of a model: its spread over seeds would be none.

    Args:
        listed: a training each.
        file: key of its file.
        of: keys of what trainings of one model share.

    Raises:
        InputError: two files have the same content, or one cannot be read.
    """
    seen: dict[tuple[Any, ...], str] = {}
    for item in listed:
        path = str(item[file])
        key = (*(item[name] for name in of), sha256(Path(path)))
        if key in seen:
            raise InputError(f"{path}: what is listed for another training of '{item[of[0]]}' is that of {seen[key]}")
        seen[key] = path
