"""Types of branches of ROOT trees, as uproot interprets them."""

from typing import Any

import uproot

__all__ = ["is_list_of_fours", "is_list_of_numbers", "is_number", "is_references"]


def is_list_of_numbers(branch: Any) -> bool:
    """Return whether a branch has a list of numbers per event."""
    return isinstance(branch.interpretation, uproot.AsJagged) and _is_numeric(branch.interpretation.content)


def is_list_of_fours(branch: Any) -> bool:
    """Return whether a branch has a list of four numbers each per event."""
    content = getattr(branch.interpretation, "content", None)
    dtype = content.to_dtype if isinstance(content, uproot.AsDtype) else None
    return dtype is not None and dtype.shape == (4,) and dtype.base.kind in "biuf"


def is_number(branch: Any) -> bool:
    """Return whether a branch has a number per event."""
    return _is_numeric(branch.interpretation)


def _is_numeric(interpretation: Any) -> bool:
    dtype = interpretation.to_dtype if isinstance(interpretation, uproot.AsDtype) else None
    return dtype is not None and dtype.shape == () and dtype.kind in "biuf"


def is_references(branch: Any) -> bool:
    """Return whether a branch has references to other objects, one or several each."""
    return branch.typename in ("TRefArray[]", "TRef[]")
