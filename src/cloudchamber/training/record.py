"""What identifies a training and what it leaves beside its weights."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.storage import write_text

__all__ = ["code_digest", "state_folder", "write_history"]


def code_digest(sources: Sequence[str]) -> str:
    """Return a hash of source files, given relative to the package: what decides the weights of a training."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.encode() + (package / source).read_bytes())
    return digest.hexdigest()


def state_folder(root: Path, identity: Mapping[str, Any]) -> Path:
    """Return the folder of one training below ``root``: another identity never meets its state."""
    return root / hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]


def write_history(path: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of a training history as CSV."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_text(path, text.getvalue())
