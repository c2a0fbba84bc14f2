"""What is in a file, by the rules of its format: each kind that the pipeline writes is read whole and verified."""

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

from cloudchamber.damage import refuse_no_file
from cloudchamber.errors import InputError
from cloudchamber.provenance.found_contents import Contents, UnknownKindError
from cloudchamber.provenance.hdf5_contents import hdf5_contents
from cloudchamber.provenance.model_contents import json_contents, onnx_contents, state_contents, weights_contents

__all__ = ["read_contents"]

_PAGES = {
    ".png": "figure",
    ".pdf": "figure",
    ".html": "page",
    ".tex": "table in LaTeX",
    ".md": "text in Markdown",
}


def read_contents(path: Path) -> Contents:
    """Read a file whole and verify what its format can verify.

    Raises:
        InputError: the file is missing, damaged or incomplete.
        UnknownKindError: it is of no kind that is known here.
    """
    refuse_no_file(path)
    suffix = path.suffix.lower()
    if suffix in _PAGES:
        return Contents(_PAGES[suffix])
    if suffix not in _READERS:
        known = sorted([*_READERS, *_PAGES])
        raise UnknownKindError(f"{path}: not a kind of file that the pipeline writes ({', '.join(known)})")
    return _READERS[suffix](path)


def _root(path: Path) -> Contents:
    from cloudchamber.readers.root_overview import root_overview

    found = root_overview(path)
    facts = {"events": found.events, "collections": found.collections, "clouds": found.clouds or "none"}
    if not found.collections:
        facts = {"trees": found.trees, "clouds": found.clouds or "none"}
    leaves = ("all numeric leaves readable",) if found.collections else ()
    return Contents(found.kind, ("header and length", *leaves), facts)


def _csv(path: Path) -> Contents:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    if len(rows) < 2:
        raise InputError(f"{path}: the table has no rows")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]):
            raise InputError(f"{path}: line {number} has {len(row)} columns, the first has {len(rows[0])}")
    return Contents("table", ("rows of equal length",), {"rows": len(rows) - 1, "columns": rows[0]})


_READERS: Mapping[str, Callable[[Path], Contents]] = {
    ".h5": hdf5_contents,
    ".hdf5": hdf5_contents,
    ".root": _root,
    ".safetensors": weights_contents,
    ".json": json_contents,
    ".csv": _csv,
    ".onnx": onnx_contents,
    ".pt": state_contents,
}
