"""The training state on disk: locked, written at once, verified when read.

torch.load does not check the CRC-32 sums that torch.save writes, so they are checked here first. The last two states
are kept: if the newest does not verify, the one before it is used, with a warning.
"""

import fcntl
import io
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

import torch

from cloudchamber.errors import StateError, StorageError
from cloudchamber.interruption import lacks_memory
from cloudchamber.storage import write_bytes

__all__ = ["load_state", "locked", "read_state", "save_state"]

_KEPT = 2


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a state folder and clear it of what a killed process left half written.

    Raises:
        StateError: another process holds it, or the file system has no locks.
        StorageError: the folder cannot be written to.
    """
    with _opened(folder) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise StateError(f"{folder}: in use by another training ({file.read().strip()})") from None
        except OSError as error:
            message = f"{folder}: cannot be locked: {error.strerror}; keep states on a file system that has locks"
            raise StateError(message) from error
        # Only a name for whoever is refused: a full disk is no reason to fail.
        with suppress(OSError):
            os.ftruncate(file.fileno(), 0)
            os.write(file.fileno(), f"process {os.getpid()} on {os.uname().nodename}".encode())
        for half_written in folder.glob(".step_*.pt"):
            half_written.unlink()
        yield


def _opened(folder: Path) -> TextIO:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return open(folder / "lock", "a+", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: cannot be written: {error.strerror}") from error


def save_state(folder: Path, step: int, state: dict[str, Any]) -> None:
    """Write the state after ``step`` steps; tensors and plain Python values only.

    Raises:
        StorageError: the file cannot be written; earlier states stay.
    """
    # torch.save to a file on a full disk raises a RuntimeError that does not say so.
    content = io.BytesIO()
    torch.save(state, content)
    write_bytes(folder / f"step_{step:09d}.pt", content.getvalue())
    for old in _states(folder)[_KEPT:]:
        old.unlink(missing_ok=True)


def load_state(folder: Path, identity: dict[str, Any], warn: Any) -> dict[str, Any] | None:
    """Return the newest state that verifies, or None where there is none.

    Args:
        folder: where the states are.
        identity: what the state must have been made by (settings, data); compared with its entry "identity".
        warn: called with a line for each damaged state that is passed over.

    Raises:
        StateError: states are there but none verifies, or they belong to another identity.
    """
    states = _states(folder)
    for path in states:
        try:
            state = read_state(path)
        except Exception as error:  # damaged bytes make zipfile raise almost anything
            if lacks_memory(error):
                raise
            warn(f"{path}: damaged, trying the state before it: {' '.join(str(error).split())[:200]}")
            continue
        if state["identity"] != json.dumps(identity, sort_keys=True):
            raise StateError(f"{folder}: the saved training belongs to other settings or data; remove the folder")
        return state
    if states:
        raise StateError(f"{folder}: none of {len(states)} saved states can be read; remove the folder to start again")
    return None


def _states(folder: Path) -> list[Path]:
    return sorted(folder.glob("step_*.pt"), reverse=True)


def read_state(path: Path) -> dict[str, Any]:
    """Return a saved state after its checksums are found right.

    Raises:
        OSError, RuntimeError, ValueError, EOFError, zipfile.BadZipFile: it is damaged, or not a training state.
    """
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"checksum of {damaged}")
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:  # the unpickler raises types of its own for a payload it refuses
        raise ValueError(str(error)) from error
    if not isinstance(state, dict) or "identity" not in state:
        raise ValueError("not a training state")
    return state
