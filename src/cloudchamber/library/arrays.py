"""Clouds from plain arrays: numpy, torch, awkward."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import EVENT_WEIGHT, Clouds, Column, weights_of_other_names
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS, within_a_turn
from cloudchamber.library.checks import booleans, mapping, numbers, refuse_rounded, single, whole_number

__all__ = ["clouds_from_arrays", "clouds_from_awkward", "clouds_of"]

_UNITS = {"pt": "GeV", "phi": "rad", "phi_rel": "rad", "jet_pt": "GeV", "jet_mass": "GeV", "jet_phi": "rad"}
_MOMENTA = ("pt", "pt_rel")
# How far the centre of a jet may be from its axis, by the median of so many jets, as in JetNet files.
_LARGEST_OFFSET, _FEWEST_JETS = 0.4, 20


def clouds_from_arrays(
    points: Any,
    mask: Any = None,
    *,
    point_columns: Sequence[str | Column] | None = None,
    features: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
) -> Clouds:
    """Return padded arrays as clouds.

    Differences of azimuths in a column phi_rel that are beyond pi are moved by whole turns, with a line that counts
    them; a line counts particles of negative pt_rel, which count for nothing in observables, one those of zeros alone,
    which padding is, and another says where eta_rel or phi_rel are no differences to the axis.

    Args:
        points: (N, P, F) numbers; numpy, torch or lists.
        mask: (N, P), true or 1 for real particles, in any slots; without it slots with a number other than 0 are real.
        point_columns: names of the F columns, or columns with their units; by default eta_rel, phi_rel and pt_rel.
        features: (N,) numbers of each cloud by name, such as jet_pt [GeV]. Weights of events are event_weight; a line
            says where a feature has another name of a weight.
        labels: (N,) whole numbers of each cloud by name, such as event, by which clouds are split, or class.

    Raises:
        InputError: an array is empty, has another shape, holds no numbers or one that is not finite; a mask has other
            values than 0 and 1, or is true for padding; a name of a column is no text, empty or there twice; phi_rel is
            not in radians; a column or feature of whole numbers holds one that single precision makes another, as codes
            of nuclei and numbers of events.

    Example:
        >>> clouds = clouds_from_arrays([[[0.1, 0.0, 0.7], [0.0, 0.0, 0.0], [-0.2, 0.1, 0.3]]])
        >>> clouds.multiplicity, clouds.point("pt_rel")
        (array([2]), array([[0.7, 0.3, 0. ]], dtype=float32))
    """
    return clouds_of(points, mask, "points", point_columns, features, labels)


def clouds_of(
    points: Any,
    mask: Any,
    source: str,
    point_columns: Sequence[str | Column] | None = None,
    features: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
) -> Clouds:
    """Do what :func:`clouds_from_arrays` does with an argument of another name, for lines and errors."""
    columns = _columns(RELATIVE_COLUMNS if point_columns is None else point_columns, "point_columns")
    given = numbers(points, source, ("N", "P", len(columns)))
    values = single(given, source)
    for place, column in enumerate(columns):
        refuse_rounded(given[..., place], f"{source}: {column.name}")
    filled: np.ndarray = np.asarray(values.any(axis=2))
    real: np.ndarray = filled if mask is None else booleans(mask, "mask", values.shape[:2])
    _refuse_padding(filled, real)
    if any(column.name in _MOMENTA for column in columns):
        _say_padding(filled, real, source)
    order = np.argsort(~real, axis=1, kind="stable")
    real = np.take_along_axis(real, order, axis=1)
    values = np.where(real[:, :, None], np.take_along_axis(values, order[:, :, None], axis=1), np.float32(0))
    _set_right(values, real, [column.name for column in columns], source)
    n = len(values)
    clouds = Clouds(
        values,
        real,
        _beside(features, "features", n, np.float32),
        _beside(labels, "labels", n, np.int64),
        columns,
        _columns(tuple(features or ()), "features"),
        _columns(tuple(labels or ()), "labels"),
    )
    for name in weights_of_other_names(column.name for column in clouds.feature_columns):
        sys.stderr.write(
            f"WARNING: features['{name}']: no step takes it for weights of events: these are called {EVENT_WEIGHT}\n"
        )
    return clouds


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
        InputError: the array has other axes or no fields, a cloud or a number is missing or not finite, or clouds are
            to be cut that have no column to cut them by.

    Example:
        >>> import awkward as ak
        >>> particles = ak.Array([[{"pt": 1.0, "eta": 0.1}, {"pt": 3.0, "eta": 0.2}], []])
        >>> clouds_from_awkward(particles, max_particles=1).points[:, :, 0]
        array([[3.],
               [0.]], dtype=float32)
    """
    import awkward as ak

    from cloudchamber.preparation.padding import pad

    names = ak.fields(particles) if isinstance(particles, ak.Array) else []
    if not names or particles.ndim != 2:
        raise InputError("particles: expected an awkward array of N * var * {column: number}")
    if not len(particles):
        raise InputError("particles: is empty: there are no clouds")
    counts = ak.to_numpy(ak.num(particles, axis=1))
    if np.ma.getmaskarray(counts).any():
        raise InputError(f"particles: {np.ma.count_masked(counts)} of {len(counts)} clouds are None")
    longest = int(counts.max())
    width = max(1, longest) if max_particles is None else whole_number(max_particles, "max_particles", 1)
    momentum = next((name for name in _MOMENTA if name in names), None)
    if longest > width and momentum is None:
        raise InputError(f"particles: clouds of {longest} are cut to {width} by pt or pt_rel, there is {names}")
    flat = {name: ak.to_numpy(ak.flatten(particles[name], axis=1)) for name in names}
    for name, column in flat.items():
        if len(column):
            refuse_rounded(numbers(column, f"particles.{name}", ("M",)), f"particles.{name}")
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


def _columns(columns: Sequence[str | Column], what: str) -> tuple[Column, ...]:
    if isinstance(columns, str):
        raise InputError(f"{what}: {columns!r}, expected names, one for each column")
    found = tuple(item if isinstance(item, Column) else Column(item, _UNITS.get(item, "1")) for item in columns)
    names: list[Any] = [column.name for column in found]
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"{what}: {name!r} is no name of a column")
        if names.count(name) > 1:
            raise InputError(f"{what}: '{name}' is there twice")
    return found


def _refuse_padding(filled: np.ndarray, real: np.ndarray) -> None:
    """Refuse a mask (N, P) that is true for empty slots, as the masks of padding that attention takes."""
    if not (real & filled).any() and (real & ~filled).any() and (filled & ~real).any():
        raise InputError(
            "mask: all slots where it is true hold zeros alone, and others do not: it is true for particles, not for "
            "padding"
        )


def _say_padding(filled: np.ndarray, real: np.ndarray, source: str) -> None:
    """Say how many particles hold zeros alone, which padding does that a mask (N, P) takes for particles."""
    if zeros := int((real & ~filled).sum()):
        sys.stderr.write(
            f"{source}: WARNING: {zeros} of {int(real.sum())} particles hold zeros alone: if they are padding, the "
            "mask has to leave them out\n"
        )


def _set_right(values: np.ndarray, real: np.ndarray, names: Sequence[str], source: str) -> None:
    """Move differences of azimuths of (N, P, F) particles within a turn, in place, and say what looks wrong."""
    if "phi_rel" in names:
        column = names.index("phi_rel")
        values[..., column] = within_a_turn(values[..., column], real, source)
    if "pt_rel" in names:
        negative = int((values[..., names.index("pt_rel")] < 0).sum())
        if negative:
            sys.stderr.write(
                f"{source}: WARNING: {negative} of {int(real.sum())} particles have a negative pt_rel and count for "
                f"nothing: columns are taken as {', '.join(names)}\n"
            )
        for name in (name for name in ("eta_rel", "phi_rel") if name in names):
            _say_offset(values[..., names.index("pt_rel")], values[..., names.index(name)], f"{source}: {name}")


def _say_offset(pt_rel: np.ndarray, angle: np.ndarray, what: str) -> None:
    """Say where (N, P) angles are no differences to the axes of jets: shapes and distances of jets are of these."""
    weight = np.maximum(pt_rel, 0)
    total = weight.sum(axis=1)
    centre = np.abs((weight * angle).sum(axis=1)[total > 0] / total[total > 0])
    if len(centre) >= _FEWEST_JETS and (typical := float(np.median(centre))) > _LARGEST_OFFSET:
        sys.stderr.write(
            f"WARNING: {what}: the particles of a jet lie {typical:.2g} from its axis (median): is it the difference "
            "to the axis?\n"
        )


def _beside(named: Mapping[str, Any] | None, what: str, n: int, dtype: type) -> np.ndarray:
    """Return numbers of each cloud side by side, (N, C)."""
    found = []
    for name, values in mapping(named, what).items():
        full = f"{what}['{name}']"
        if dtype is np.float32:
            given = numbers(values, full, (n,))
            found.append(single(given, full))
            refuse_rounded(given, full)
            continue
        whole = numbers(values, full, (n,), "biu")
        if whole.dtype.kind == "u" and whole.max() > np.iinfo(np.int64).max:
            raise InputError(f"{full}: {whole.max()} is too large for a label, which has 64 bits and a sign")
        found.append(whole.astype(np.int64))
    return np.stack(found, axis=1) if found else np.zeros((n, 0), dtype)
