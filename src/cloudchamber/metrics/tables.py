"""Tables on disk, as CSV, and the columns that all tables of metrics share."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.storage import write_text

__all__ = ["DISTANCE_COLUMNS", "METRIC_COLUMNS", "read_table", "write_table"]

# The columns of the table of metrics that every study has; a study may add some behind them (docs/metrics.md).
METRIC_COLUMNS = (
    "study",
    "dataset",
    "model",
    "sampler",
    "nfe",
    "seed",
    "metric",
    "feature",
    "value",
    "uncertainty",
    "floor",
    "n_reference",
    "n_generated",
    "floor_uncertainty",
)
# What a distance is, whatever it is of.
DISTANCE_COLUMNS = (
    "metric",
    "feature",
    "value",
    "uncertainty",
    "floor",
    "floor_uncertainty",
    "n_reference",
    "n_generated",
)


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV at once or not at all.

    Raises:
        StorageError: the file cannot be written.
    """
    write_text(path, table.to_csv(index=False, lineterminator="\n"))


def read_table(path: str | Path, columns: Sequence[str] = (), texts: Sequence[str] = ()) -> pd.DataFrame:
    """Return a table; only an empty field counts as missing, and in ``texts`` columns a number is a text.

    Raises:
        InputError: it cannot be read, has no rows or lacks one of ``columns``.
    """
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(texts, str))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a table: {' '.join(str(error).split())}") from error
    missing = [name for name in columns if name not in table]
    if missing:
        raise InputError(f"{path}: no column {missing} among {list(table)}")
    if table.empty:
        raise InputError(f"{path}: the table has no rows")
    return table
