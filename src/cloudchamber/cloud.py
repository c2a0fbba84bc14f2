"""The cloud container: padded particles of many clouds, with features and labels of each cloud."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np

from cloudchamber.errors import InputError

__all__ = ["EVENT_WEIGHT", "Clouds", "Column", "weights_of_other_names"]

# The feature that says what the event of a cloud weighs, where events do not all weigh the same.
EVENT_WEIGHT = "event_weight"
# What others call it, without case and underscores.
_OTHER_NAMES = {
    "weight",
    "weights",
    "w",
    "eventweight",
    "eventweights",
    "genweight",
    "mcweight",
    "mcweights",
    "jetweight",
}


@final
@dataclass(frozen=True)
class Column:
    """Name and unit of one column; the unit is "1" for a number without one."""

    name: str
    unit: str = "1"


@final
@dataclass(frozen=True)
class Clouds:
    """Padded particle clouds.

    Attributes:
        points: (N, P, F) float32, zero where ``mask`` is false.
        mask: (N, P) bool, true for real particles, which come first.
        features: (N, C) float32, one row per cloud: jet pT, mass, ...
        labels: (N, L) int64, one row per cloud: event number, class, ...
        point_columns, feature_columns, label_columns: names and units of the last axes.
        indices: named index arrays into the clouds, such as the parts of a split.
        meta: anything else that can be written as JSON: provenance, what truncation cost, ...

    Example:
        >>> points = np.array([[[0.7], [0.3], [0.0]], [[1.0], [0.0], [0.0]]], np.float32)
        >>> none = np.zeros((2, 0))
        >>> clouds = Clouds(points, points[:, :, 0] > 0, none, none, point_columns=(Column("pt_rel"),))
        >>> clouds
        <2 clouds of 3 slots; points: pt_rel>
        >>> clouds.multiplicity
        array([2, 1])
        >>> clouds[1:].point("pt_rel")
        array([[1., 0., 0.]], dtype=float32)
    """

    points: np.ndarray
    mask: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    point_columns: tuple[Column, ...]
    feature_columns: tuple[Column, ...] = ()
    label_columns: tuple[Column, ...] = ()
    indices: Mapping[str, np.ndarray] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points)

    def __repr__(self) -> str:
        """Say how many there are and of what: their numbers would fill the screen."""
        parts = {"points": self.point_columns, "features": self.feature_columns, "labels": self.label_columns}
        named = (f"{part}: {', '.join(map(_with_unit, columns))}" for part, columns in parts.items() if columns)
        parts_of = f"; parts: {', '.join(f'{name} {len(rows)}' for name, rows in self.indices.items())}"
        return f"<{len(self)} clouds of {self.width} slots; {'; '.join(named)}{parts_of if self.indices else ''}>"

    @property
    def multiplicity(self) -> np.ndarray:
        """(N,) int64, the number of real particles of each cloud."""
        return self.mask.sum(axis=1)

    @property
    def width(self) -> int:
        """P, the padded number of particles."""
        return int(self.points.shape[1])

    def select(self, positions: np.ndarray | slice) -> "Clouds":
        """Return the clouds at ``positions``, as those of files are selected too."""
        return self[positions]

    def pieces(self) -> Iterator[tuple[np.ndarray, "Clouds"]]:
        """Yield positions (n,) and clouds: here all at once, of files a piece at a time."""
        yield np.arange(len(self)), self

    def point(self, name: str) -> np.ndarray:
        """Return the (N, P) values of one point column."""
        return self.points[:, :, _position(self.point_columns, name, "point column")]

    def feature(self, name: str) -> np.ndarray:
        """Return the (N,) values of one per-cloud feature."""
        return self.features[:, _position(self.feature_columns, name, "feature")]

    def label(self, name: str) -> np.ndarray:
        """Return the (N,) values of one label."""
        return self.labels[:, _position(self.label_columns, name, "label")]

    @property
    def event_weight(self) -> np.ndarray | None:
        """(N,) float64, what the event of each cloud weighs; None where all weigh the same."""
        weighted = any(column.name == EVENT_WEIGHT for column in self.feature_columns)
        return self.feature(EVENT_WEIGHT).astype(np.float64) if weighted else None

    @property
    def without_event_weight(self) -> "Clouds":
        """The same clouds without the feature that says what their events weigh."""
        kept = [number for number, column in enumerate(self.feature_columns) if column.name != EVENT_WEIGHT]
        columns = tuple(self.feature_columns[number] for number in kept)
        return replace(self, features=self.features[:, kept], feature_columns=columns)

    @property
    def without_particles(self) -> "Clouds":
        """The same clouds with features and labels and a padded length of zero."""
        points, mask = np.zeros((len(self), 0, self.points.shape[2]), np.float32), np.zeros((len(self), 0), bool)
        return replace(self, points=points, mask=mask)

    def part(self, name: str) -> "Clouds":
        """Return the clouds of one stored index array, in its order."""
        if name not in self.indices:
            raise InputError(f"no part '{name}' among {sorted(self.indices)}")
        return self[self.indices[name]]

    def __getitem__(self, rows: np.ndarray | slice) -> "Clouds":
        """Return the clouds of ``rows``; stored index arrays are dropped, since they would no longer be right.

        Raises:
            InputError: a single number is given, with which an axis would be lost.
        """
        if not isinstance(rows, slice) and np.ndim(rows) == 0:
            raise InputError(f"clouds[{rows}]: expected a slice or rows; a single cloud is clouds[[{rows}]]")
        return replace(
            self,
            points=self.points[rows],
            mask=self.mask[rows],
            features=self.features[rows],
            labels=self.labels[rows],
            indices={},
        )


def _with_unit(column: Column) -> str:
    return column.name if column.unit == "1" else f"{column.name} [{column.unit}]"


def _position(columns: Sequence[Column], name: str, kind: str) -> int:
    names = [column.name for column in columns]
    if name not in names:
        raise InputError(f"no {kind} '{name}' among {names}")
    return names.index(name)


def weights_of_other_names(features: Iterable[str]) -> list[str]:
    """Return features that are weights by their names, where none has the name by which weights are known.

    Example:
        >>> weights_of_other_names(["jet_pt", "genWeight"]), weights_of_other_names(["weight", "event_weight"])
        (['genWeight'], [])
    """
    names = list(features)
    if EVENT_WEIGHT in names:
        return []
    return [name for name in names if name.lower().replace("_", "") in _OTHER_NAMES]
