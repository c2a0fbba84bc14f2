"""The entries of several samples of one feature in the order of their values, however many they are.

Up to 17 million are sorted in memory. More are shared out among ranges of values that are sorted one by one and lie in
files without a name in the folder of temporary files (TMPDIR), which are gone when the process ends, however it ends.
"""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import IO, NamedTuple, Self, final

import numpy as np

from cloudchamber.errors import StorageError
from cloudchamber.metrics.resampling import JetEntries

__all__ = ["OrderedEntries", "Range"]

_IN_MEMORY = 1 << 24
_IN_A_RANGE = 1 << 22
# From so many entries are the limits of ranges taken.
_LOOKED_AT = 1 << 18


class Range(NamedTuple):
    """Entries with consecutive values.

    Attributes:
        values: (n,) increasing; equal ones are in the order of the samples, and within one in its own.
        jets: (n,) int64, which jet each belongs to, counted through all samples.
    """

    values: np.ndarray
    jets: np.ndarray


@final
class OrderedEntries:
    """All entries of samples, range by range; no value is in two ranges. A context manager, which removes the files.

    Args:
        samples: of one feature.
        in_memory: largest number of entries that are sorted at once.
        of_range: number that is aimed at where there are more.

    Attributes:
        first: (len(samples) + 1,) number of the first jet of each sample.

    Raises:
        StorageError: there is no room for temporary files.
    """

    def __init__(self, samples: Sequence[JetEntries], in_memory: int = _IN_MEMORY, of_range: int = _IN_A_RANGE) -> None:
        self.first = np.concatenate([[0], np.cumsum([sample.n_jets for sample in samples])])
        entries = sum(sample.n_entries for sample in samples)
        self._whole: Range | None = None
        self._open = ExitStack()
        if entries <= in_memory:
            values, jets = zip(*self._entries(samples), strict=True)
            self._whole = _sorted(np.concatenate(values), np.concatenate(jets))
        else:
            with ExitStack() as made:
                try:
                    self._files = _written(list(samples), self.first, -(-entries // of_range), made)
                except OSError as error:
                    raise StorageError(
                        f"{tempfile.gettempdir()}: no room for {entries} entries of a feature, about 12 bytes each: "
                        f"{error.strerror}; TMPDIR names another folder"
                    ) from error
                self._open = made.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def __iter__(self) -> Iterator[Range]:
        """Yield the ranges by rising values."""
        if self._whole is not None:
            yield self._whole
            return
        for file, record in self._files:
            rows = _read(file, record)
            yield Range(rows["value"].astype(np.float64), rows["jet"].astype(np.int64))

    def _entries(self, samples: Sequence[JetEntries]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for sample, first in zip(samples, self.first, strict=False):
            for values, jets in sample.entries():
                yield values.astype(np.float64), jets + first


def _sorted(values: np.ndarray, jets: np.ndarray) -> Range:
    order = np.argsort(values, kind="stable")
    return Range(values[order], jets[order])


def _written(
    samples: Sequence[JetEntries], first: np.ndarray, ranges: int, made: ExitStack
) -> list[tuple[IO[bytes], np.dtype[np.void]]]:
    """Write the entries of each range to a file, sorted, and return the files with the type of their rows."""
    limits = _limits(samples, ranges)
    files = [made.enter_context(tempfile.TemporaryFile()) for _ in range(len(limits) + 1)]  # noqa: SIM115
    value = np.result_type(*(next(iter(sample.entries()))[0].dtype for sample in samples))
    record = np.dtype([("value", value), ("jet", np.int32)])
    for sample, start in zip(samples, first, strict=False):
        for values, jets in sample.entries():
            of_range = np.searchsorted(limits, values).astype(np.uint16)
            order = np.argsort(of_range, kind="stable")
            rows = np.empty(len(values), record)
            rows["value"], rows["jet"] = values[order], jets[order] + start
            ends = np.cumsum(np.bincount(of_range, minlength=len(files)))
            for file, begin, end in zip(files, np.concatenate([[0], ends[:-1]]), ends, strict=True):
                file.write(rows[begin:end].tobytes())
    for file in files:
        rows = _read(file, record)
        rows = rows[np.argsort(rows["value"], kind="stable")]
        file.seek(0)
        file.write(rows.tobytes())
        file.flush()
    return [(file, record) for file in files]


def _read(file: IO[bytes], record: np.dtype[np.void]) -> np.ndarray:
    file.seek(0)
    return np.frombuffer(file.read(), record)


def _limits(samples: Sequence[JetEntries], ranges: int) -> np.ndarray:
    """Return the largest value of each range but the last, by some of the entries."""
    every = max(1, sum(sample.n_entries for sample in samples) // _LOOKED_AT)
    seen = np.concatenate([values[::every] for sample in samples for values, _ in sample.entries()])
    return np.unique(np.quantile(seen, np.arange(1, ranges) / ranges, method="inverted_cdf"))
