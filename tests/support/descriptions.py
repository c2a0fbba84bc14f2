"""Descriptions of models that say something else than what was saved, with the checksum that belongs to it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["write_description"]

_OWN = "description_sha256"


def write_description(path: Path, description: Mapping[str, Any]) -> None:
    """Write a description as ``docs/formats.md`` defines it."""
    content = {key: value for key, value in description.items() if key != _OWN}
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps({**content, _OWN: digest}))
