"""The step ``data-table``: every raw and external file that an analysis was made from, with its hash."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.progress import progress
from cloudchamber.storage import sha256, write_rows

__all__ = ["data_table"]


def data_table(files: Sequence[Mapping[str, str]], output: Path) -> None:
    """Write the table of files: file, bytes, sha256, source; a row per file.

    Args:
        files: "file" and "source", where it is from, of each.
        output: CSV to write.

    Raises:
        InputError: a file cannot be read.
        SettingsError: there are no files, or one lacks a key.
        StorageError: the table cannot be written.
    """
    if not files or any({"file", "source"} - set(entry) for entry in files):
        raise SettingsError("--files: expected a list of at least one 'file' with its 'source'")
    rows = []
    with progress("hash", len(files), "files") as report:
        for entry in files:
            rows.append({"file": entry["file"], **_identity(Path(entry["file"])), "source": entry["source"]})
            report.update()
    write_rows(output, rows)


def _identity(path: Path) -> dict[str, int | str]:
    digest = sha256(path)
    try:
        return {"bytes": path.stat().st_size, "sha256": digest}
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
