"""The step ``data-table``: every raw and external file that an analysis was made from, with its hash."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.progress import progress
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
        files: "files", each with "file" and "source", where it is from.
        output: CSV to write.

    Raises:
        InputError: a file cannot be read.
        SettingsError: there are no files, or one lacks a key.
        StorageError: the table cannot be written.
    """
    listed = entries(files, "files", ("file", "source"))
    rows = []
    with progress("hash", len(listed), "files") as report:
        for entry in listed:
            rows.append({"file": entry["file"], **_identity(Path(entry["file"])), "source": entry["source"]})
            report.update()
    write_rows(output, rows)


def _identity(path: Path) -> dict[str, int | str]:
    digest = sha256(path)
    try:
        return {"bytes": path.stat().st_size, "sha256": digest}
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
