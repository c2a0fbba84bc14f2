"""Progress of long steps: a bar in a terminal, a line every few seconds in a log file."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, final

from tqdm import tqdm

__all__ = ["Progress", "progress"]


class Progress(Protocol):
    """What a long step reports to."""

    def update(self, n: int = 1) -> None:
        """Add ``n`` finished units."""

    def note(self, text: str) -> None:
        """Show ``text`` beside the count."""


@final
class _Bar:
    def __init__(self, name: str, total: int | None, unit: str, done: int) -> None:
        self._bar = tqdm(desc=name, total=total, unit=f" {unit}", initial=done, dynamic_ncols=True)

    def update(self, n: int = 1) -> None:
        self._bar.update(n)

    def note(self, text: str) -> None:
        self._bar.set_postfix_str(text, refresh=False)

    def close(self) -> None:
        self._bar.close()


@final
class _Lines:
    def __init__(self, name: str, total: int | None, unit: str, done: int, every: float) -> None:
        self._name, self._total, self._unit, self._every = name, total, unit, every
        self._first, self._done, self._note = done, done, ""
        self._start = self._last = time.monotonic()

    def update(self, n: int = 1) -> None:
        self._done += n
        if time.monotonic() - self._last >= self._every:
            self._write()

    def note(self, text: str) -> None:
        self._note = f", {text}" if text else ""

    def close(self) -> None:
        self._write()

    def _write(self) -> None:
        self._last = time.monotonic()
        elapsed = self._last - self._start
        rate = (self._done - self._first) / max(elapsed, 1e-9)
        of_total = f"/{self._total} ({100 * self._done / self._total:.0f} %)" if self._total else ""
        left = f", {(self._total - self._done) / rate:.0f} s left" if self._total and rate > 0 else ""
        message = f"{self._name}: {self._done}{of_total} {self._unit}, {rate:.1f}/s, {elapsed:.0f} s{left}"
        sys.stderr.write(message + self._note + "\n")
        sys.stderr.flush()


@final
class _Nothing:
    def update(self, n: int = 1) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def close(self) -> None:
        pass


@contextmanager
def progress(
    name: str, total: int | None, unit: str, done: int = 0, every: float = 5.0, shown: bool = True
) -> Iterator[Progress]:
    """Report the progress of a step on standard error.

    Args:
        name: what is being done.
        total: number of units, or None where it is not known.
        unit: plural name of the units, such as "events".
        done: units finished before this process started (a resumed training).
        every: seconds between lines where standard error is not a terminal.
        shown: whether to report at all; of several processes of one training only the first does.
    """
    reporter: _Bar | _Lines | _Nothing
    if not shown:
        reporter = _Nothing()
    elif sys.stderr.isatty():
        reporter = _Bar(name, total, unit, done)
    else:
        reporter = _Lines(name, total, unit, done, every)
    try:
        yield reporter
    finally:
        reporter.close()
