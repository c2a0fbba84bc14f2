"""The step ``download``: a file of the table of external files, whole and verified, or nothing.

What the table does not know of a file, its checksum or size, is taken from the record of its archive at the first
download and pinned in a lock file. Whoever has that lock file downloads the same bytes or none.
"""

import fcntl
import hashlib
import http.client
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from cloudchamber import __version__
from cloudchamber.errors import InputError, SettingsError, StorageError
from cloudchamber.progress import progress
from cloudchamber.settings.base import parse
from cloudchamber.settings.external import ExternalFile, external_files
from cloudchamber.storage import atomic_path, read_json, write_json

__all__ = ["download", "download_by_name"]

_BLOCK = 1 << 20
_TIMEOUT = 60  # seconds without a byte


def download(file: ExternalFile, output: Path, lock: Path, mirrors: Sequence[str] = ()) -> None:
    """Write an external file to ``output`` after its size and checksum are found right.

    Sources are tried in turn until one gives the right file: the mirrors, then the address of the table. A file that
    is at ``output`` already and verifies is left as it is.

    Args:
        file: row of the table.
        output: where the file is to be.
        lock: JSON file of pinned sizes and checksums; it gets those of this file if the table has no checksum.
        mirrors: folders, or addresses of folders (https, file, ...), in which the file may lie under its name.

    Raises:
        InputError: no source gives the right file, or no checksum is known; one line with what each source said.
        StorageError: the file or the lock cannot be written.
    """
    expected = _expected(file, lock)
    if output.is_file() and _fault(output.stat().st_size, _digest(output, expected), expected) is None:
        sys.stderr.write(f"download: {output} is there and verifies ({expected.checksum})\n")
        _pin(file, expected, output.stat().st_size, lock)
        return
    faults = []
    for url in (*(_in_mirror(mirror, file) for mirror in mirrors), file.url):
        try:
            with atomic_path(output) as aside:
                size = _fetch(url, aside, expected)
                _pin(file, expected, size, lock)
        except InputError as error:
            faults.append(str(error))
        else:
            sys.stderr.write(f"download: {output}: {size} bytes from {url} ({expected.checksum})\n")
            return
    raise InputError(f"{file.file}: " + "; ".join(faults))


def download_by_name(name: str, mirrors: Sequence[str] | None, lock: Path, output: Path) -> None:
    """Download a file of the table of external files; see :func:`download`.

    Args:
        name: of the file in the table.
        mirrors: tried first; None for those in the environment variable CLOUDCHAMBER_MIRRORS.
        lock: JSON file that pins sizes and checksums.
        output: where the file is to be.

    Raises:
        SettingsError: the table has no such file.
    """
    files = external_files()
    if name not in files:
        raise SettingsError(f"no external file '{name}' among {sorted(files)}")
    chosen = os.environ.get("CLOUDCHAMBER_MIRRORS", "").split() if mirrors is None else mirrors
    download(files[name], output, lock, chosen)


def _expected(file: ExternalFile, lock: Path) -> ExternalFile:
    """Return the file with its checksum: from the table, else as pinned in the lock, else as its record states it."""
    known = {key: value for key, value in file.model_dump().items() if value is not None}
    pinned = _pins(lock).get(file.name, {}) if file.checksum is None else {}
    filled = parse(ExternalFile, {**pinned, **known}, f"{lock}: {file.name}")
    return filled if filled.checksum else parse(ExternalFile, {**_stated(file, lock), **known}, str(file.record))


def _pins(lock: Path) -> dict[str, Any]:
    pins = read_json(lock) if lock.exists() else {}
    if not isinstance(pins, dict) or not all(isinstance(pin, dict) for pin in pins.values()):
        raise InputError(f"{lock}: expected the name of each file with its bytes and checksum")
    return pins


def _stated(file: ExternalFile, lock: Path) -> dict[str, Any]:
    """Return size and checksum from the record of a file, in either of the two forms that Zenodo has used."""
    unknown = f"{file.file}: its checksum is neither in the table nor in {lock}"
    if file.record is None:
        raise InputError(f"{unknown}, and it has no record to ask")
    try:
        answer = json.loads(b"".join(_blocks(file.record)))
        entry = next(item for item in answer["files"] if file.file in (item.get("key"), item.get("filename")))
        checksum = str(entry["checksum"])
        size = entry.get("size", entry.get("filesize"))
    except InputError as error:
        raise InputError(f"{unknown}, and its record cannot be asked: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise InputError(f"{unknown}, and {file.record} does not state it") from error
    return {"checksum": checksum if ":" in checksum else f"md5:{checksum}", "bytes": size}


def _pin(file: ExternalFile, expected: ExternalFile, size: int, lock: Path) -> None:
    """Add size and checksum to the lock, unless the table has the checksum or the lock has the file."""
    if file.checksum is not None:
        return
    with _held(lock):
        pins = _pins(lock)
        if file.name not in pins:
            write_json(lock, {**pins, file.name: {"bytes": size, "checksum": expected.checksum}})


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    """Keep other downloads from the lock file for the moment of the block."""
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(lock.parent, os.O_RDONLY)
    except OSError as error:
        raise StorageError(f"{lock}: its folder cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _in_mirror(mirror: str, file: ExternalFile) -> str:
    if "://" in mirror:
        return f"{mirror.rstrip('/')}/{file.file}"
    return (Path(mirror).expanduser().absolute() / file.file).as_uri()


def _fetch(url: str, aside: Path, expected: ExternalFile) -> int:
    """Copy ``url`` to ``aside`` and return its size; fail where it is not what is expected."""
    assert expected.checksum is not None
    digest = hashlib.new(expected.checksum.partition(":")[0], usedforsecurity=False)
    size = 0
    total = math.ceil(expected.bytes / _BLOCK) if expected.bytes else None
    with open(aside, "wb") as output, progress(f"download {expected.file}", total, "MiB") as reporter:
        for block in _blocks(url):
            output.write(block)
            digest.update(block)
            size += len(block)
            reporter.update()
            if expected.bytes and size > expected.bytes:
                break
    fault = _fault(size, digest.hexdigest(), expected)
    if fault is not None:
        raise InputError(f"{url}: {fault}")
    return size


def _blocks(url: str) -> Iterator[bytes]:
    try:
        with urlopen(Request(url, headers={"User-Agent": f"cloudchamber/{__version__}"}), timeout=_TIMEOUT) as answer:
            while block := answer.read(_BLOCK):
                yield block
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise InputError(f"{url}: cannot be read: {error}") from error


def _digest(path: Path, expected: ExternalFile) -> str:
    assert expected.checksum is not None
    with open(path, "rb") as file:
        return hashlib.file_digest(file, expected.checksum.partition(":")[0]).hexdigest()


def _fault(size: int, digest: str, expected: ExternalFile) -> str | None:
    """Return what is wrong with a file of this size and digest, or None."""
    assert expected.checksum is not None
    algorithm, _, value = expected.checksum.partition(":")
    if expected.bytes and size > expected.bytes:
        return f"more than the expected {expected.bytes} bytes"
    if expected.bytes and size < expected.bytes:
        return f"{size} bytes, expected {expected.bytes}"
    if digest != value:
        return f"checksum {algorithm}:{digest}, expected {expected.checksum}"
    return None
