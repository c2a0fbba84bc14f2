"""What is wrong with an argument, in one line that names it: arrays, whole numbers, finite numbers."""

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.readers.whole_numbers import in_single_precision

__all__ = ["as_array", "booleans", "finite", "mapping", "numbers", "refuse_rounded", "single", "whole_number"]

# Up to here single precision holds all whole numbers.
_LARGEST_WHOLE = 2**24


def as_array(values: Any, name: str) -> np.ndarray:
    """Return an array-like as a numpy array of any shape; masked arrays stay what they are.

    Args:
        values: array, list or tensor, on any device.
        name: of the argument, for errors.

    Raises:
        InputError: it is none.
    """
    if values is None:
        raise InputError(f"{name}: is None, expected an array")
    if isinstance(values, Clouds):
        raise InputError(f"{name}: is Clouds, expected an array")
    try:
        return np.asanyarray(_on_cpu(values) if hasattr(values, "detach") else values)
    except (TypeError, ValueError) as error:
        # Awkward adds where its C++ raised this.
        reason, _, _ = " ".join(str(error).split()).partition(" (in compiled code")
        raise InputError(f"{name}: not an array: {reason}") from error


def _on_cpu(tensor: Any) -> Any:
    found = tensor.detach().cpu()
    # Numpy has no such type; single precision holds all its values.
    return found.float() if str(found.dtype) == "torch.bfloat16" else found


def numbers(values: Any, name: str, shape: Sequence[str | int], kinds: str = "biuf") -> np.ndarray:
    """Return an array-like as a numpy array of a certain shape.

    Args:
        values: array, list or tensor, on any device.
        name: of the argument, for errors.
        shape: of the axes; a letter stands for any length but zero, the same letter for the same length.
        kinds: accepted kinds of numpy's types.

    Raises:
        InputError: it has another shape, is empty, holds no numbers, or a number is masked or not finite.
    """
    array = as_array(values, name)
    if array.dtype.kind not in kinds:
        expected = "numbers" if "f" in kinds else "whole numbers"
        raise InputError(f"{name}: holds {array.dtype}, expected {expected}")
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
    masked = np.count_nonzero(np.ma.getmaskarray(array))
    if masked:
        raise InputError(f"{name}: {masked} of {array.size} values are masked: fill them, with 0 in empty slots")
    array = np.asarray(array)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{name}: {np.count_nonzero(~np.isfinite(array))} of {array.size} values are not finite")
    return array


def single(values: np.ndarray, name: str) -> np.ndarray:
    """Return numbers in single precision.

    Raises:
        InputError: one is too large for it.
    """
    with np.errstate(over="ignore"):
        found = values.astype(np.float32)
    if not np.isfinite(found).all():
        raise InputError(f"{name}: a value is too large for single precision")
    return found


def refuse_rounded(values: np.ndarray, name: str) -> None:
    """Refuse whole numbers of which single precision makes others, as codes of nuclei and numbers of events.

    Raises:
        InputError: all values are whole numbers, and one is rounded.
    """
    large = values[np.abs(values) > _LARGEST_WHOLE]
    rounded = in_single_precision(large) != large
    if rounded.any() and (values == np.rint(values)).all():
        number = large[rounded][0]
        raise InputError(
            f"{name}: holds whole numbers, and the single precision of clouds makes {np.float32(number):.0f} of "
            f"{number:.0f}: leave them out, or number them anew"
        )


def booleans(mask: Any, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask as booleans.

    Raises:
        InputError: it has another shape, or other values than 0 and 1.
    """
    values = numbers(mask, name, shape)
    if values.dtype.kind != "b" and not np.isin(values, (0, 1)).all():
        raise InputError(f"{name}: a value is neither 0 nor 1, false nor true")
    return values.astype(bool)


def whole_number(value: Any, name: str, least: int) -> int:
    """Return a whole number, of Python or numpy, that is not below ``least``.

    Raises:
        InputError: it is none, or too small.
    """
    try:
        found = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        found = None
    if found is None or found < least:
        raise InputError(f"{name}: {value!r}, expected a whole number, {least} at least")
    return found


def finite(value: Any, name: str, above: float = -math.inf) -> float:
    """Return a finite number, of Python or numpy, that is above a limit.

    Raises:
        InputError: it is none.
    """
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not (is_number and math.isfinite(value) and value > above):
        limit = "" if above == -math.inf else f" above {above:g}"
        raise InputError(f"{name}: {value!r}, expected a finite number{limit}")
    return float(value)


def mapping(values: Any, name: str) -> dict[str, Any]:
    """Return keys and values, none where nothing is given.

    Raises:
        InputError: it is something else.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise InputError(f"{name}: is {type(values).__name__}, expected keys and values")
    return dict(values)
