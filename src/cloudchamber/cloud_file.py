"""Reading files of clouds, whole or piece by piece; :mod:`cloudchamber.cloud_writer` writes them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, final

import h5py
import numpy as np

from cloudchamber.cloud import EVENT_WEIGHT, Clouds
from cloudchamber.cloud_header import KIND, columns_of, meta_of, opened, require
from cloudchamber.cloud_layout import ARRAYS, BLOCK, FORMAT, GROUP_FORMAT
from cloudchamber.damage import readable_as
from cloudchamber.errors import InputError

__all__ = [
    "AnyClouds",
    "CloudFile",
    "CloudPart",
    "open_clouds",
    "read_clouds",
    "read_header",
]

# Points that a piece of an open file holds: what is computed of them takes several times as much.
_PIECE_BYTES = 1 << 27
# The rows of a piece are a multiple of this, or all.
_PIECE_ROWS = 8192


@final
class CloudFile:
    """An open cloud file, of which a piece at a time is read and verified; made by :func:`open_clouds`.

    What there is of each cloud beside its particles (features, labels) is read whole when it is asked for.

    Attributes:
        path: the file.
        width: P, the padded number of particles.
        point_columns, feature_columns, label_columns: names and units.
    """

    def __init__(self, path: str | Path, file: h5py.File) -> None:
        self.path, self._file = path, file
        with readable_as(path, KIND):
            self._clouds = int(file.attrs["n_clouds"])
            for name, kind in ARRAYS.items():
                require(path, file[name], *kind)
            columns = {name: columns_of(file[name]) for name in ("points", "features", "labels")}
            shapes = {name: file[name].shape for name in ARRAYS}
        for name, shape in shapes.items():
            if shape[0] != self._clouds:
                raise InputError(f"{path}: dataset '{name}' has {shape[0]} rows, the header says {self._clouds}")
        for name, named in columns.items():
            if len(named) != shapes[name][-1]:
                raise InputError(f"{path}: dataset '{name}' has {shapes[name][-1]} columns and {len(named)} names")
        if shapes["mask"] != shapes["points"][:2]:
            raise InputError(f"{path}: 'mask' is {shapes['mask']}, 'points' {shapes['points']}")
        self.width = int(shapes["points"][1])
        self.point_columns, self.feature_columns, self.label_columns = columns.values()

    def __len__(self) -> int:
        return self._clouds

    @cached_property
    def indices(self) -> Mapping[str, np.ndarray]:
        """The rows of each named part."""
        with readable_as(self.path, KIND):
            group = self._file["indices"]
            indices = {name: self._whole(group[name], "int64", 1) for name in group}
        for name, rows in indices.items():
            if len(rows) and (rows.min() < 0 or rows.max() >= len(self)):
                raise InputError(f"{self.path}: index array '{name}' points outside the {len(self)} clouds")
        return indices

    @cached_property
    def meta(self) -> Mapping[str, Any]:
        """What describes the clouds."""
        with readable_as(self.path, KIND):
            return meta_of(self._file)

    @cached_property
    def without_particles(self) -> Clouds:
        """All clouds with features and labels and a padded length of zero."""
        with readable_as(self.path, KIND):
            features, labels = (self._whole(self._file[name], *ARRAYS[name]) for name in ("features", "labels"))
        empty = np.zeros((len(self), 0, len(self.point_columns)), np.float32)
        clouds = self._made(empty, np.zeros((len(self), 0), bool), features, labels)
        return replace(clouds, indices=self.indices, meta=self.meta)

    def rows(self, name: str) -> np.ndarray:
        """Return what :meth:`CloudWriter.add_rows` stored."""
        with readable_as(self.path, KIND):
            dataset = self._file[f"rows/{name}"]
            if dataset.shape != (len(self),):
                raise InputError(f"{self.path}: '{dataset.name}' is {dataset.shape}, there are {len(self)} clouds")
            values: np.ndarray = dataset[()]
        return values

    def part(self, name: str) -> "CloudPart":
        """Return the clouds of one stored index array, in its order.

        Raises:
            InputError: there is no such part.
        """
        if name not in self.indices:
            raise InputError(f"no part '{name}' among {sorted(self.indices)}")
        return CloudPart(self, self.indices[name])

    @property
    def all(self) -> "CloudPart":
        """All clouds in the order of the file."""
        return CloudPart(self, np.arange(len(self)))

    def read(self, start: int, stop: int) -> Clouds:
        """Return consecutive clouds, verified as by :func:`read_clouds`, without indices and meta data."""
        with readable_as(self.path, KIND):
            return self._made(*(self._file[name][start:stop] for name in ARRAYS))

    def take(self, rows: np.ndarray) -> Clouds:
        """Return the clouds of ``rows``, in any order; only the blocks that they lie in are read."""
        order = np.argsort(rows, kind="stable")
        ends = np.flatnonzero(np.diff(rows[order] // BLOCK)) + 1
        found = []
        for group in np.split(order, ends) if len(rows) else []:
            start = int(rows[group[0]])
            found.append(self.read(start, int(rows[group[-1]]) + 1)[rows[group] - start])
        if not found:
            return self.read(0, 0)
        place = np.argsort(order, kind="stable")
        arrays = (np.concatenate([getattr(part, name) for part in found])[place] for name in ARRAYS)
        points, mask, features, labels = arrays
        return replace(found[0], points=points, mask=mask, features=features, labels=labels)

    def pieces(self) -> Iterator[tuple[int, Clouds]]:
        """Yield the first row and the clouds of each piece; of files of moderate size there is one."""
        of_row = max(1, self.width * len(self.point_columns) * 4)
        rows = max(1, _PIECE_BYTES // of_row // _PIECE_ROWS) * _PIECE_ROWS
        for start in range(0, max(len(self), 1), rows):
            yield start, self.read(start, min(start + rows, len(self)))

    def _whole(self, dataset: h5py.Dataset, dtype: str, dimensions: int) -> np.ndarray:
        require(self.path, dataset, dtype, dimensions)
        values: np.ndarray = dataset[()]
        return values

    def _made(self, points: np.ndarray, mask: np.ndarray, features: np.ndarray, labels: np.ndarray) -> Clouds:
        path = self.path
        for name, values in (("points", points), ("features", features)):
            if not np.isfinite(values).all():
                raise InputError(f"{path}: dataset '{name}' holds values that are not finite")
        if np.any(mask[:, 1:] & ~mask[:, :-1]):
            raise InputError(f"{path}: real particles do not come first in 'mask'")
        if np.any(points[~mask]):
            raise InputError(f"{path}: dataset 'points' is not zero where 'mask' is false")
        return Clouds(points, mask, features, labels, self.point_columns, self.feature_columns, self.label_columns)


@final
class CloudPart:
    """Some clouds of an open file in an order of their own; their particles are read when they are asked for.

    It can be used in place of :class:`cloudchamber.cloud.Clouds` where these are taken piece by piece or row by row.
    """

    def __init__(self, file: CloudFile, rows: np.ndarray) -> None:
        self._file, self._rows = file, rows
        self.width, self.point_columns = file.width, file.point_columns
        self.feature_columns, self.label_columns = file.feature_columns, file.label_columns

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: np.ndarray | slice) -> Clouds:
        """Return the clouds at positions of the part."""
        return self._file.take(self._rows[rows])

    def select(self, positions: np.ndarray | slice) -> "CloudPart":
        """Return a part of this part."""
        return CloudPart(self._file, self._rows[positions])

    def feature(self, name: str) -> np.ndarray:
        """Return the (N,) values of one per-cloud feature."""
        return self._file.without_particles.feature(name)[self._rows]

    def label(self, name: str) -> np.ndarray:
        """Return the (N,) values of one label."""
        return self._file.without_particles.label(name)[self._rows]

    @property
    def event_weight(self) -> np.ndarray | None:
        """(N,) float64, what the event of each cloud weighs; None where all weigh the same."""
        if EVENT_WEIGHT not in [column.name for column in self.feature_columns]:
            return None
        return self.feature(EVENT_WEIGHT).astype(np.float64)

    def pieces(self) -> Iterator[tuple[np.ndarray, Clouds]]:
        """Yield positions (n,) in the part and their clouds, in the order of the part where the file is one piece."""
        for start, clouds in self._file.pieces():
            positions = np.flatnonzero((self._rows >= start) & (self._rows < start + len(clouds)))
            if len(positions):
                yield positions, clouds[self._rows[positions] - start]


# Clouds in memory, or some of those of a file.
AnyClouds = Clouds | CloudPart


@contextmanager
def open_clouds(path: str | Path, weighted: bool = False, kind: str = FORMAT) -> Iterator[CloudFile]:
    """Open a cloud file to read it piece by piece.

    Args:
        path: the file.
        weighted: whether the caller takes event weights into account; see :func:`read_clouds`.
        kind: what the file has to say that it is.

    Raises:
        InputError: see :func:`read_clouds`, also when what was opened is read.
    """
    with opened(path, kind) as file:
        clouds = CloudFile(path, file)
        if not weighted and EVENT_WEIGHT in [column.name for column in clouds.feature_columns]:
            raise InputError(
                f"{path}: its clouds have event weights (feature '{EVENT_WEIGHT}'), which this step cannot take into "
                "account; event_weights: unweight of 'prepare' or 'combine-classes' makes jets that weigh the same, "
                "weight_branch: null of 'ingest' takes all events alike"
            )
        yield clouds


def read_header(path: str | Path) -> Mapping[str, Any]:
    """Return the meta data of a cloud file, also of one of a group of files, without reading its clouds.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind.
    """
    with opened(path, FORMAT, GROUP_FORMAT) as file, readable_as(path, KIND):
        return meta_of(file)


def read_clouds(path: str | Path, weighted: bool = False) -> Clouds:
    """Read a whole cloud file and verify it.

    Clouds whose events do not all weigh the same are refused unless the caller says that it takes their weights into
    account, so that no step ignores them without a word.

    Args:
        path: the file.
        weighted: whether the caller takes :attr:`Clouds.event_weight` into account.

    Raises:
        InputError: the file is missing, damaged, incomplete or of another kind; a value is not finite; real
            particles do not come first or a padded slot is not zero; there are event weights and ``weighted`` is false.
    """
    with open_clouds(path, weighted) as file:
        return replace(file.read(0, len(file)), indices=file.indices, meta=file.meta)
