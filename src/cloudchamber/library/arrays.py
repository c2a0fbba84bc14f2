"""Clouds from plain arrays: numpy, torch, awkward; and what is wrong with an array, in one line."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS

__all__ = ["clouds_from_arrays", "clouds_from_awkward", "numbers"]

_UNITS = {"pt": "GeV", "phi": "rad", "phi_rel": "rad", "jet_pt": "GeV", "jet_mass": "GeV", "jet_phi": "rad"}
_MOMENTA = ("pt", "pt_rel")


def numbers(values: Any, name: str, shape: Sequence[str | int], kinds: str = "biuf") -> np.ndarray:
    """Return an array-like as a numpy array of a certain shape.

    Args:
        values: array, list or tensor, on any device.
        name: of the argument, for errors.
        shape: of the axes; a letter stands for any length but zero, the same letter for the same length.
        kinds: accepted kinds of numpy's types.

    Raises:
        InputError: it has another shape, is empty, holds no numbers, or a number is not finite.
    """
    try:
        array = np.asarray(values.detach().cpu() if hasattr(values, "detach") else values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not an array: {' '.join(str(error).split())}") from error
    if array.dtype.kind not in kinds:
        raise InputError(f"{name}: holds {array.dtype}, expected numbers")
    wanted = f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
    lengths: dict[str, int] = {}
    fits = array.ndim == len(shape) and all(
        length == (lengths.setdefault(axis, length) if isinstance(axis, str) else axis)
        for axis, length in zip(shape, array.shape, strict=True)
    )
    if not fits:
        raise InputError(f"{name}: has the shape {array.shape}, expected {wanted}")
    if not array.size:
        raise InputError(f"{name}: is empty: its shape is {array.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{name}: {np.count_nonzero(~np.isfinite(array))} of {array.size} values are not finite")
    return array


def clouds_from_arrays(
    points: Any,
    mask: Any = None,
    *,
    point_columns: Sequence[str | Column] | None = None,
    features: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
) -> Clouds:
    """Return padded arrays as clouds.

    Args:
        points: (N, P, F) numbers; numpy, torch or lists.
        mask: (N, P), true for real particles, in any slots; without it all slots but those of zeros alone are real.
        point_columns: names of the F columns, or columns with their units; by default eta_rel, phi_rel and pt_rel.
        features: (N,) numbers of each cloud by name, such as jet_pt [GeV].
        labels: (N,) whole numbers of each cloud by name, such as event, by which clouds are split, or class.

    Raises:
        InputError: an array is empty, has another shape, holds no numbers or one that is not finite.

    Example:
        >>> clouds = clouds_from_arrays([[[0.1, 0.0, 0.7], [0.0, 0.0, 0.0], [-0.2, 0.1, 0.3]]])
        >>> clouds.multiplicity, clouds.point("pt_rel")
        (array([2]), array([[0.7, 0.3, 0. ]], dtype=float32))
    """
    columns = _columns(RELATIVE_COLUMNS if point_columns is None else point_columns)
    values = _single(numbers(points, "points", ("N", "P", len(columns))), "points")
    real = values.any(axis=2) if mask is None else numbers(mask, "mask", values.shape[:2]).astype(bool)
    order = np.argsort(~real, axis=1, kind="stable")
    real = np.take_along_axis(real, order, axis=1)
    values = np.where(real[:, :, None], np.take_along_axis(values, order[:, :, None], axis=1), np.float32(0))
    n = len(values)
    return Clouds(
        values,
        real,
        _beside(features or {}, "features", n, np.float32, "biuf"),
        _beside(labels or {}, "labels", n, np.int64, "biu"),
        columns,
        _columns(tuple(features or ())),
        _columns(tuple(labels or ())),
    )


def clouds_from_awkward(
    particles: Any,
    *,
    max_particles: int | None = None,
    features: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
) -> Clouds:
    """Return an awkward array of particles as clouds, the hardest first where there is a column pt or pt_rel.

    Args:
        particles: N * var * {pt: ..., eta: ..., phi: ...}; its fields are the point columns.
        max_particles: P, the padded length, beyond which the softest are cut; by default that of the longest cloud.
        features, labels: as of :func:`clouds_from_arrays`.

    Raises:
        InputError: the array has other axes or no fields, a number is not finite, or clouds are to be cut that have no
            column to cut them by.

    Example:
        >>> import awkward as ak
        >>> particles = ak.Array([[{"pt": 1.0, "eta": 0.1}, {"pt": 3.0, "eta": 0.2}], []])
        >>> clouds_from_awkward(particles, max_particles=1).points[:, :, 0]
        array([[3.],
               [0.]], dtype=float32)
    """
    import awkward as ak

    from cloudchamber.preparation.padding import pad

    names = ak.fields(particles)
    if not names or getattr(particles, "ndim", 0) != 2:
        raise InputError("particles: expected an awkward array of N * var * {column: number}")
    n, counts = len(particles), ak.to_numpy(ak.num(particles, axis=1))
    if not n:
        raise InputError("particles: is empty: there are no clouds")
    longest = int(counts.max())
    width = max(1, longest) if max_particles is None else max_particles
    momentum = next((name for name in _MOMENTA if name in names), None)
    if longest > width and momentum is None:
        raise InputError(f"particles: clouds of {longest} are cut to {width} by pt or pt_rel, there is {names}")
    flat = {name: ak.to_numpy(ak.flatten(particles[name], axis=1)) for name in names}
    for name, column in flat.items():
        if len(column):
            numbers(column, f"particles.{name}", ("M",))
    first = momentum or names[0]
    ordered = [first, *(name for name in names if name != first)]
    columns = np.stack([np.asarray(flat[name], np.float32) for name in ordered])
    if momentum is None:
        # Particles without a momentum stay in their order: all are alike to the sorting.
        columns = np.concatenate([np.ones_like(columns[:1]), columns])
    padded = pad(columns, np.concatenate([[0], np.cumsum(counts)]), width)
    start = 0 if momentum else 1
    places = [start + ordered.index(name) for name in names]
    return clouds_from_arrays(
        padded.points[:, :, places], padded.mask, point_columns=names, features=features, labels=labels
    )


def _columns(columns: Sequence[str | Column]) -> tuple[Column, ...]:
    return tuple(item if isinstance(item, Column) else Column(item, _UNITS.get(item, "1")) for item in columns)


def _beside(named: Mapping[str, Any], what: str, n: int, dtype: type, kinds: str) -> np.ndarray:
    """Return numbers of each cloud side by side, (N, C)."""
    found = []
    for name, values in named.items():
        of_clouds = numbers(values, f"{what}['{name}']", (n,), kinds)
        found.append(_single(of_clouds, f"{what}['{name}']") if dtype is np.float32 else of_clouds.astype(dtype))
    return np.stack(found, axis=1) if found else np.zeros((n, 0), dtype)


def _single(values: np.ndarray, name: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        found = values.astype(np.float32)
    if not np.isfinite(found).all():
        raise InputError(f"{name}: a value is too large for single precision")
    return found
