"""What identifies a training."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.entry_points import module_file
from cloudchamber.sources import PACKAGE, sources_of

__all__ = ["code_digest", "state_folder"]


def code_digest(entry: str) -> str:
    """Return a hash of the code behind a training: the module of ``entry`` and what it imports from the package."""
    digest = hashlib.sha256()
    for source in sources_of(module_file(entry)):
        digest.update(str(source).encode() + (PACKAGE / source).read_bytes())
    return digest.hexdigest()


def state_folder(root: Path, identity: Mapping[str, Any]) -> Path:
    """Return the folder of one training below ``root``: another identity never meets its state."""
    return root / hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
