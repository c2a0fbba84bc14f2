"""Records: beside each file that a step wrote, what made it and the hash of what was written.

The record of ``folder/name`` is ``folder/.provenance/name.json``. It holds what may differ between two runs of equal
work (elapsed time, machine, version of the code), so that the files themselves do not: those are bitwise the same. It
says by size and SHA-256 which bytes it is about, and so can never be taken for the record of others.
"""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from glob import has_magic
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.launch import is_first_process
from cloudchamber.records.environment import code_version, installed_packages, machine
from cloudchamber.storage import read_json, sha256, write_json
from cloudchamber.wildcards import expand

__all__ = ["FOLDER", "files_named", "read_record", "record_path", "recorded", "verify_record"]

FOLDER = ".provenance"
_FORMAT = "cloudchamber-record"
_VERSION = 1
_TYPES = {"file": str, "bytes": int, "sha256": str, "step": str, "inputs": dict, "arguments": dict}
# Files that a step may be told of in JSON.
_SUFFIXES = (
    *(".csv", ".json", ".safetensors"),
    *(".h5", ".hdf5", ".hdf", ".root", ".parquet", ".hepmc", ".hepmc2", ".hepmc3", ".gz"),
)
# What a step keeps for itself between runs: not what its outputs are made from.
_KEPT = ("state", "lock")
# In place of the hash of an input that was changed while a step ran: no file has it.
_CHANGED = "changed while the step ran"


def record_path(path: Path) -> Path:
    """Return where the record of a file is."""
    return path.parent / FOLDER / f"{path.name}.json"


def read_record(path: Path) -> dict[str, Any] | None:
    """Return the record of a file, or None where there is none.

    Raises:
        InputError: the record cannot be read.
    """
    place = record_path(path)
    if not place.exists():
        return None
    record = read_json(place)
    if not isinstance(record, dict) or record.get("format") != _FORMAT or record.get("version") != _VERSION:
        raise InputError(f"{place}: not a record of a file ('{_FORMAT}', version {_VERSION})")
    wrong = [key for key, kind in _TYPES.items() if not isinstance(record.get(key), kind)]
    if wrong:
        raise InputError(f"{place}: not a record of a file: nothing fitting under {wrong}")
    return record


def verify_record(path: Path) -> None:
    """Compare a file with its record, where it has one.

    Raises:
        InputError: the file is not the one that was written, or one of them cannot be read.
    """
    record = read_record(path)
    if record is not None and sha256(path) != record["sha256"]:
        raise InputError(
            f"{path}: not the file that '{record['step']}' wrote (SHA-256 differs): damaged, or changed since; "
            f"make it again, or remove {record_path(path)} if it was replaced on purpose"
        )


@contextmanager
def recorded(step: str, arguments: Mapping[str, Any], outputs: Sequence[str], threads: int) -> Iterator[None]:
    """Write the records of what a step has written, once the block ends without an error.

    Args:
        step: name of the step.
        arguments: what it was called with, by name.
        outputs: which of the arguments are files to write.
        threads: that it may use.

    Raises:
        StorageError: a record cannot be written.
    """
    if not outputs or not is_first_process():
        yield
        return
    # Somebody may edit the code while a long step runs.
    code, start = code_version(), time.perf_counter()
    given = {name: value for name, value in arguments.items() if name not in outputs}
    before = _times(given)
    yield
    elapsed = time.perf_counter() - start
    shared = {
        "format": _FORMAT,
        "version": _VERSION,
        "step": step,
        "arguments": _plain(given),
        "inputs": {path: _digest(path, step, before.get(path, when)) for path, when in _times(given).items()},
        "code": code,
        "packages": installed_packages(),
        "machine": machine(),
        "run": {
            "elapsed_seconds": round(elapsed, 3),
            "threads": threads,
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    }
    for path in (arguments[name] for name in outputs if arguments[name] is not None):
        of_file = {"file": str(path), "bytes": path.stat().st_size, "sha256": sha256(path)}
        write_json(record_path(path), {**shared, **of_file})


def _times(given: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Return size and time of each input."""
    try:
        named = files_named({name: value for name, value in given.items() if name not in _KEPT})
    except RecursionError:
        # JSON that is nested without end: what reads it says so.
        return {}
    return {path: ((status := os.stat(path)).st_size, status.st_mtime_ns) for path in named}


def _digest(path: str, step: str, before: tuple[int, int]) -> str:
    """Return the hash of an input; where the step may have read what is no longer there, what is the hash of nothing.

    Args:
        path: of the input.
        step: name of the step, for the warning.
        before: size and time of the input when the step began.
    """
    status = os.stat(path)
    if (status.st_size, status.st_mtime_ns) == before:
        return sha256(path)
    sys.stderr.write(f"warning: {path} was changed while '{step}' ran: its outputs may be of either; run it again\n")
    return _CHANGED


def files_named(arguments: Mapping[str, Any]) -> list[str]:
    """Return the files that the arguments of a step name, sorted, each once.

    An argument is a path, a wildcard, NAME=FILE, a list of these, or JSON with paths in it. In JSON, settings of
    something else ("settings" below the top) name no file of this step.
    """
    found: set[str] = set()
    for value in arguments.values():
        for item in value if isinstance(value, list) else [value]:
            structure = _parsed(item)
            if isinstance(structure, str):
                found.update(_direct(structure))
            else:
                found.update(text for text in _texts(structure) if text.endswith(_SUFFIXES) and os.path.isfile(text))
    return sorted(found)


def _direct(text: str) -> list[str]:
    candidates = [text, text.partition("=")[2]]
    found = [path for path in candidates if Path(path).suffix and os.path.isfile(path)]
    return found or [str(path) for path in expand([text]) if has_magic(text) and path.is_file()]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item) if key != "settings" else ()
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _plain(value: Any) -> Any:
    """Return arguments as they can be written as JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return _parsed(value)


def _parsed(value: Any) -> Any:
    """Return a path as text and JSON as what it says."""
    text = str(value) if isinstance(value, Path) else value
    if isinstance(text, str) and text[:1] in ("{", "["):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text
    return text
