"""The text of a HepMC file as it lies on the disk: whether it is one, is whole, and how many events it has."""

import gzip
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cloudchamber.errors import InputError

__all__ = ["count_events"]

_GZIP, _HEAD, _END = b"\x1f\x8b", b"HepMC::", b"END_EVENT_LISTING"


def count_events(path: Path) -> int:
    """Return how many events a file says that it has.

    Raises:
        InputError: the file is missing, no text of HepMC, cut short or without events.
    """
    try:
        with _text(path) as file:
            lines = iter(file)
            head = next((line for line in lines if line.strip()), b"")
            if not head.startswith(_HEAD):
                raise InputError(f"{path}: not a text file of HepMC 2 or 3")
            events, last = 0, b""
            for line in lines:
                events += line.startswith(b"E ")
                last = line if line.strip() else last
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if _END not in last:
        raise InputError(f"{path}: cut short: its last line is not that of the end of a listing of events")
    if not events:
        raise InputError(f"{path}: has no events")
    return events


@contextmanager
def _text(path: Path) -> Iterator[Iterable[bytes]]:
    with open(path, "rb") as file:
        compressed = file.read(2) == _GZIP
    with gzip.open(path, "rb") if compressed else open(path, "rb") as text:
        yield text
