"""Damaged files: whatever a library makes of them becomes one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudchamber.errors import CloudchamberError, InputError

__all__ = ["readable_as"]


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
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except Exception as error:  # damaged bytes make HDF5 and Arrow raise almost anything
        raise InputError(f"{path}: cannot be read as {kind}: {' '.join(str(error).split())}") from error
