"""Damaged files: whatever a library makes of them becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudchamber.errors import CloudchamberError, InputError

__all__ = ["readable_as", "refuse_no_file"]


@contextmanager
def readable_as(path: str | Path, kind: str) -> Iterator[None]:
    """Turn what a library raises in the block into an error that names the file.

    Args:
        path: the file.
        kind: what it should be, such as "a JetNet file".

    Raises:
        InputError: anything went wrong but memory; errors of our own pass.
    """
    try:
        yield
    except (CloudchamberError, MemoryError):
        raise
    except Exception as error:  # damaged bytes make HDF5 and Arrow raise almost anything
        if isinstance(error, FileNotFoundError) or Path(path).is_dir():
            refuse_no_file(path)
        raise InputError(f"{path}: cannot be read as {kind}: {' '.join(str(error).split())}") from error


def refuse_no_file(path: str | Path) -> None:
    """Refuse a path that leads to a folder, or nowhere.

    Raises:
        InputError: there is no file.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: {'a folder, and not a file' if Path(path).is_dir() else 'no such file'}")
