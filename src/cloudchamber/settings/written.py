"""Keys and values as somebody wrote them, beside the settings that were made of them: what pydantic lets pass."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

__all__ = ["passed_over"]


def passed_over(values: Any, made: Any) -> Iterator[str]:
    """Yield what is wrong with ``values`` though the settings ``made`` of them are right: dotted key and reason.

    A key whose value is null counts as left out, so that no model sees it: also where there is no such key. Python
    counts True as 1, and so does pydantic.
    """
    for at, value, parent, below in _beside(values, made, ()):
        if value is None and isinstance(parent, BaseModel) and at[-1] not in type(parent).model_fields:
            close = get_close_matches(at[-1], type(parent).model_fields, n=1)
            yield f"{'.'.join(at)}: no such key" + "".join(f"; did you mean {name}?" for name in close)
        if isinstance(value, bool) and isinstance(below, int | float) and not isinstance(below, bool):
            yield f"{'.'.join(at)}: expected a number, not true or false (to YAML also yes and no)"


def _beside(values: Any, made: Any, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any, Any, Any]]:
    """Yield the place of each value at any depth, the value, what it stands in and what it has become."""
    items: list[tuple[str, Any, Any]] = []
    if isinstance(values, Mapping):
        of_mapping = made if isinstance(made, Mapping) else None
        items = [
            (str(key), value, getattr(made, str(key), None) if of_mapping is None else of_mapping.get(key))
            for key, value in values.items()
        ]
    elif isinstance(values, list | tuple) and isinstance(made, Sequence):
        pairs = zip(values, made, strict=False)
        items = [(str(position), value, below) for position, (value, below) in enumerate(pairs)]
    for key, value, below in items:
        yield (*at, key), value, made, below
        yield from _beside(value, below, (*at, key))
