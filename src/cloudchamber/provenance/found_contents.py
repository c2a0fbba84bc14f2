"""What was found in a file, whatever its format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from cloudchamber.errors import InputError

__all__ = ["Contents", "UnknownKindError"]


@final
class UnknownKindError(InputError):
    """The file is none that the pipeline writes: nothing can be said of it."""


@final
@dataclass(frozen=True)
class Contents:
    """What was found in a file.

    Attributes:
        kind: what the file is.
        checks: what was verified, in words; empty for formats that nothing can be verified of.
        facts: sizes, columns and whatever else the file says of itself.
        provenance: what made it, where the file itself says so.
    """

    kind: str
    checks: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
