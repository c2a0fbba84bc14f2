"""Files: written aside and renamed, hashed, and with a record of what made them."""

import csv
import errno
import hashlib
import io
import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cloudchamber import __version__
from cloudchamber.errors import InputError, StorageError

__all__ = [
    "atomic_folder",
    "atomic_path",
    "package_versions",
    "provenance",
    "read_json",
    "sha256",
    "write_bytes",
    "write_json",
    "write_rows",
    "write_text",
]

_PACKAGES = ("numpy", "torch", "uproot", "awkward", "fastjet", "pythia8mc", "h5py", "safetensors", "zuko")


@contextmanager
def atomic_path(path: str | Path, size: int | None = None) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes the place of ``path`` when the block ends without an error.

    The file is flushed to the disk before the rename and the folder after it, so that a crash leaves either the old
    file or the whole new one. After an error nothing is left, no new folder either, and an old file stays as it was.
    The suffix of ``path`` is kept, since some writers choose a format by it.

    Args:
        path: where the file is to be.
        size: bytes that it will have, where they are known; a full disk is reported with them.

    Raises:
        StorageError: the folder cannot be made, or the disk is full.
    """
    path = Path(path)
    aside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    made = [folder for folder in path.parents if not folder.exists()]
    written = False
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{path}: its folder cannot be made: {error.strerror}") from error
    try:
        yield aside
        with open(aside, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(aside, path)
        written = True
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(_write_failure(path, aside, size, error)) from error
    finally:
        aside.unlink(missing_ok=True)
        if not written:
            _remove_empty(made)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield a new folder beside ``path``; it takes that name when the block ends without an error, and else goes.

    Raises:
        StorageError: ``path`` is there already, a folder cannot be made, or the disk is full.
    """
    if path.exists():
        raise StorageError(f"{path}: is there already; remove it, or name another folder")
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        aside.mkdir(parents=True)
        yield aside
        os.replace(aside, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise StorageError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        if not path.exists():
            _remove_empty(made)


def _remove_empty(folders: Iterable[Path]) -> None:
    """Remove folders, the innermost first, up to one that somebody else has put something into."""
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_failure(path: Path, aside: Path, size: int | None, error: OSError) -> str:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"{path}: cannot be written: {error}"
    written = aside.stat().st_size if aside.exists() else 0
    free = shutil.disk_usage(path.parent).free
    needed = "more is needed" if size is None else f"{_amount(size)} are needed"
    return f"{path}: disk full after {_amount(written)}, {needed}; {_amount(free)} are free; nothing was changed"


def _amount(size: int) -> str:
    return f"{size} bytes" if size < 1e5 else f"{size / 1e6:.1f} MB"


def write_bytes(path: str | Path, content: bytes) -> None:
    """Write ``content`` to ``path`` at once or not at all."""
    with atomic_path(path, len(content)) as aside:
        aside.write_bytes(content)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` to ``path`` at once or not at all."""
    write_bytes(path, text.encode())


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as JSON with sorted keys to ``path`` at once or not at all."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: str | Path) -> Any:
    """Return the content of a JSON file.

    Raises:
        InputError: the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a JSON file: {error}") from error


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's content as hexadecimal digits.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def provenance(
    step: str, settings: Mapping[str, Any], inputs: Sequence[str | Path] = (), seed: int | None = None
) -> dict[str, Any]:
    """Return the record that is stored with an output: what made it, from what.

    No time stamp, machine or commit is in it, so that the same inputs, settings and seed give the same record; those
    are kept beside the output (:mod:`cloudchamber.records.record`).
    """
    return {
        "step": step,
        "settings": dict(settings),
        "seed": seed,
        "inputs": {str(path): sha256(path) for path in inputs},
        "cloudchamber": __version__,
        "packages": package_versions(_PACKAGES),
    }


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those of the packages that are installed."""
    versions = {}
    for name in names:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


def write_rows(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows as CSV, at once or not at all; a field that a row lacks, or that is not a number, is empty.

    Raises:
        StorageError: the file cannot be written.
    """
    text = io.StringIO(newline="")
    fields = list(dict.fromkeys(key for row in rows for key in row))
    writer = csv.DictWriter(text, fieldnames=fields, lineterminator="\n")
    writer.writeheader()
    # Readers take an empty field for a missing value, and "nan" for a text.
    writer.writerows({key: "" if _is_nan(value) else value for key, value in row.items()} for row in rows)
    write_text(path, text.getvalue())


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
