"""The step ``data-table``: every raw and external file that an analysis was made from, with its hash."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cloudchamber.cloud_file import read_header
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.progress import progress
from cloudchamber.records.record import read_record
from cloudchamber.settings.entries import entries
from cloudchamber.storage import sha256, write_rows

__all__ = ["data_table"]

CAPTIONS = {
    "data-table": (
        "Every raw and external file that this analysis was made from, with its size, its SHA-256 and where "
        "it is from. ``cloudchamber verify`` on the results folder says whether they, and everything made "
        "from them, still are what they were."
    ),
}


def data_table(files: Mapping[str, Any], output: Path) -> None:
    """Write the table of files: file, bytes, sha256, source; a row per file.

    Args:
        files: "files", each with "file" and "source", where it is from, and with "download" where that is a
            download; and where there are any, "made", the files that were made of them.
        output: CSV to write.

    Raises:
        InputError: a file cannot be read, or is not the one that something was made from.
        SettingsError: there are no files, or one lacks a key.
        StorageError: the table cannot be written.
    """
    listed = entries(files, "files", ("file", "source"))
    made = entries({"made": [], **files}, "made", may_be_empty=True)
    if not all(isinstance(path, str) for path in made):
        raise SettingsError("--files: 'made' is no list of paths")
    rows = []
    with progress("hash", len(listed), "files") as report:
        for entry in listed:
            rows.append({"file": entry["file"], **_identity(Path(entry["file"])), "source": _source(entry)})
            report.update()
    _compare({os.path.realpath(row["file"]): row["sha256"] for row in rows}, made)
    write_rows(output, rows)


def _source(entry: Mapping[str, Any]) -> str:
    """Return where a file is from; of one that stands in place of a download, that nothing has verified it."""
    source = str(entry["source"])
    if "download" not in entry or read_record(Path(entry["file"])) is not None:
        return source
    return f"put there by hand and not verified, in place of {source}"


def _identity(path: Path) -> dict[str, int | str]:
    digest = sha256(path)
    try:
        return {"bytes": path.stat().st_size, "sha256": digest}
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _inputs(path: Path) -> Mapping[str, str]:
    """Return the files that something was made from, with their hashes: its record says it, or that of clouds."""
    record = read_record(path)
    found: Mapping[str, str] = (
        read_header(path).get("provenance", {}).get("inputs", {}) if record is None else record["inputs"]
    )
    return found


def _compare(digests: Mapping[str, str], made: Iterable[str]) -> None:
    """Refuse files that were replaced since something was made from them: the table would say what is not so."""
    for path in made:
        for file, expected in _inputs(Path(path)).items():
            if digests.get(os.path.realpath(file), expected) != expected:
                raise InputError(
                    f"{file}: {path} was made from another file of this name (SHA-256 differs), and neither size nor "
                    f"time shows it; bring that file back, or make everything anew that is made from it: "
                    f"snakemake --forcerun {path}"
                )
