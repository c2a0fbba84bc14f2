"""What is compared, as arrays: truth, generated clouds, and maybe a second sample of truth, the floor."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.library.checks import as_array, numbers
from cloudchamber.library.jets import as_jets, energy_flow_polynomials
from cloudchamber.library.last_digits import say_other_digits
from cloudchamber.library.precision import BFLOAT16, precision_of, rounded, step_at_one
from cloudchamber.metrics.cut_samples import say_cut_samples
from cloudchamber.metrics.resampling import Sample
from cloudchamber.metrics.same_jets import JetContents, say_repeated_jets, say_same_jets, say_same_rows
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, jet_columns, say_unlike
from cloudchamber.preparation.origin import say_other_choice

__all__ = ["SIDES", "features_of", "jets_of", "samples_of", "say_dependent", "say_unlike_floor"]

SIDES = ("truth", "generated", "floor")
_CONSEQUENCE = ": they are not independent"
# Of the numbers of particles, the share of zeros at the ends of jets from which on they look like empty slots.
_FEW_ZEROS = 0.01
# Up to here double precision holds all whole numbers.
_LARGEST_WHOLE = 2**53


def features_of(truth: Any, generated: Any, floor: Any) -> list[np.ndarray]:
    """Return (N, D) features of all sides: those given, or the polynomials of jets."""
    _refuse_other_columns(_given(truth, generated, floor))
    _say_other_choice((truth, generated, floor), SIDES)
    sides = _with_floor([_features(values, name) for values, name in _given(truth, generated, floor)])
    _say_dependent_rows(sides)
    say_unlike_floor([{f"of feature {number}": column for number, column in enumerate(side.T)} for side in sides])
    return sides


def _refuse_other_columns(sides: Sequence[tuple[Any, str]]) -> None:
    """Refuse tables whose columns are not called alike, since they are compared by their places.

    Raises:
        InputError: a table has other columns than another, or in another order.
    """
    named = [(list(values.columns), name) for values, name in sides if hasattr(values, "columns")]
    for columns, name in named[1:]:
        if columns != named[0][0]:
            raise InputError(f"{name}: columns {columns}, those of {named[0][1]} are {named[0][0]}")


def _features(values: Any, name: str) -> np.ndarray:
    if isinstance(values, Clouds) or as_array(values, name).ndim == 3:
        return energy_flow_polynomials(as_jets(values, name))
    return numbers(values, name, ("N", "D")).astype(np.float64)


def samples_of(truth: Any, generated: Any, floor: Any) -> list[Sample]:
    """Return one feature of all sides, with as many jets for the floor as there are generated ones."""
    precision = _lowest_precision(truth, generated, floor)
    sides = [_feature(values, name) for values, name in _given(truth, generated, floor)]
    arrays = _with_floor(_of_one_precision(sides, precision))
    _say_dependent_rows([values.filled(0).reshape(len(values), -1) for values in arrays])
    say_unlike_floor([_columns(values) for values in arrays])
    # In bfloat16 values without a grid share their digits too.
    if precision not in (None, BFLOAT16):
        say_other_digits([values.compressed() for values in arrays], step_at_one(precision))
    found = []
    for values, name in zip(arrays, SIDES, strict=False):
        if values.ndim == 1:
            found.append(Sample.of_jets(values.filled()))
            continue
        there = ~np.ma.getmaskarray(values)
        _say_padding(values.data, there, name)
        if not there.any():
            raise InputError(f"{name}: all values are masked")
        found.append(Sample.of_particles(values.data, there))
    return found


def _lowest_precision(truth: Any, generated: Any, floor: Any) -> str | None:
    """Return the lowest precision of all sides, None where all hold whole numbers."""
    found = [precision_of(values, name) for values, name in _given(truth, generated, floor)]
    return max((of for of in found if of is not None), key=step_at_one, default=None)


def _say_padding(values: np.ndarray, there: np.ndarray, name: str) -> None:
    """Say how many of (N, P) numbers that count are zeros behind all others of their jet, as in empty slots."""
    behind = np.logical_and.accumulate(((values == 0) | ~there)[:, ::-1], axis=1)[:, ::-1] & there
    number, counted = np.count_nonzero(behind), np.count_nonzero(there)
    if number > _FEW_ZEROS * counted:
        sys.stderr.write(
            f"cloudchamber: WARNING: {number} of {counted} numbers of '{name}' are zeros at the ends of jets and count "
            "as numbers: a masked array, whose mask is true in empty slots, leaves these out\n"
        )


def _columns(values: "np.ma.MaskedArray[Any, Any]") -> dict[str, np.ndarray]:
    """Return (N,) numbers of jets: the feature, or the sum and the number of its values."""
    if values.ndim == 1:
        return {"value": values.data}
    return {"sum": values.filled(0).sum(axis=1), "number of particles": values.count(axis=1)}


def _feature(values: Any, name: str) -> "np.ma.MaskedArray[Any, Any]":
    array = as_array(values, name)
    shape = ("N",) if array.ndim == 1 else ("N", "P")
    if not isinstance(array, np.ma.MaskedArray):
        return np.ma.MaskedArray(numbers(array, name, shape))
    if array.ndim == 1 and np.ma.getmaskarray(array).any():
        raise InputError(f"{name}: a number of each jet is masked for {np.ma.count_masked(array)} of {len(array)}")
    return np.ma.MaskedArray(numbers(array.filled(0), name, shape), np.ma.getmaskarray(array))


def _of_one_precision(
    sides: Sequence["np.ma.MaskedArray[Any, Any]"], precision: str | None
) -> list["np.ma.MaskedArray[Any, Any]"]:
    """Return all sides as float64, with no more digits than the side that has fewest.

    0.1 in single precision is another number in double precision: a value that many jets share would be shared with
    none of another side.

    Raises:
        InputError: a value is too large for the precision of another side, or a whole number for double precision.
    """
    found: list[np.ma.MaskedArray[Any, Any]] = []
    for side, name in zip(sides, SIDES, strict=False):
        if precision is None and ((side.data > _LARGEST_WHOLE) | (side.data < -_LARGEST_WHOLE)).any():
            raise InputError(
                f"{name}: a whole number is beyond 2^53, from where double precision makes others of them: number them "
                "anew"
            )
        values = side.data.astype(np.float64) if precision is None else rounded(side.data, precision)
        if not np.isfinite(values).all():
            raise InputError(f"{name}: a value is too large for {precision}, which another sample has")
        found.append(np.ma.MaskedArray(values, np.ma.getmask(side)))
    return found


def jets_of(truth: Any, generated: Any, floor: Any) -> list[Any]:
    """Return (N, P, 3) jets of all sides as the clouds of the analysis."""
    sides = _with_floor([as_jets(values, name) for values, name in _given(truth, generated, floor)])
    say_dependent(sides)
    say_unlike_floor([jet_columns(side) for side in sides])
    return sides


def say_dependent(jets: Sequence[Clouds], names: Sequence[str] = SIDES) -> None:
    """Say which samples have jets of the first one, or their own again, were made otherwise, or cut and others not."""
    _say_other_choice(jets, names)
    contents = {f"'{name}'": JetContents.of(side) for side, name in zip(jets, names, strict=False)}
    for name, content in contents.items():
        say_repeated_jets("cloudchamber", name, content)
    (first, known), *others = contents.items()
    for name, content in others:
        say_same_jets("cloudchamber", name, content, first, known, _CONSEQUENCE)
    say_cut_samples("cloudchamber", {name: content.multiplicity for name, content in contents.items()})


def _say_other_choice(sides: Sequence[Any], names: Sequence[str]) -> None:
    """Say which clouds were ingested with other settings than those of the first sample, as far as both say theirs."""
    first, *others = sides
    for side, name in zip(others, names[1:], strict=False):
        if isinstance(first, Clouds) and isinstance(side, Clouds):
            say_other_choice("cloudchamber", f"'{name}'", side.meta, f"'{names[0]}'", first.meta)


def say_unlike_floor(columns: Sequence[Mapping[str, np.ndarray]]) -> None:
    """Say where the floor, the last of three sides, is not of the distribution of truth, by (N,) numbers by name."""
    if len(columns) > 2:
        say_unlike("cloudchamber", "'truth'", columns[0], "'floor'", columns[2], IN_RANDOM_ORDER)


def _say_dependent_rows(rows: Sequence[np.ndarray]) -> None:
    """Say the same of (N, D) numbers."""
    for others, name in list(zip(rows, SIDES, strict=False))[1:]:
        if others.shape[1] == rows[0].shape[1]:
            say_same_rows("cloudchamber", f"'{name}'", others, f"'{SIDES[0]}'", rows[0], _CONSEQUENCE)


def _given(truth: Any, generated: Any, floor: Any) -> list[tuple[Any, str]]:
    """Return the sides with their names; only the floor may be left out."""
    sides = list(zip((truth, generated, floor), SIDES, strict=True))
    return sides if floor is not None else sides[:2]


def _with_floor(sides: Sequence[Any]) -> list[Any]:
    """Return the sides, of the floor as many jets as there are generated ones.

    Raises:
        InputError: there are fewer.
    """
    if len(sides) < 3:
        return list(sides)
    truth, generated, floor = sides
    if len(floor) < len(generated):
        raise InputError(f"floor: {len(floor)} jets, there must be as many as generated ones, {len(generated)}")
    return [truth, generated, floor[: len(generated)]]
