"""Files of others that can be downloaded: one table says where each lies and what it must be.

The table is ``external_data.csv`` in the package. A row without a checksum takes the one that the record of the file
states at the first download; see :mod:`cloudchamber.download`.
"""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, final

from pydantic import Field

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import Name, PositiveInt, Settings, parse

__all__ = ["ExternalFile", "external_files"]

_TABLE = Path(__file__).parents[1] / "external_data.csv"


@final
class ExternalFile(Settings):
    """A row of the table of external files."""

    name: Name
    file: Annotated[str, Field(pattern=r"^\w[\w.-]*$")] = Field(description="name of the file at its source and here")
    version: str
    url: str
    record: str | None = Field(None, description="answer in JSON of the archive that states size and checksum")
    bytes: PositiveInt | None = Field(None, description="size, where it is known")
    checksum: Annotated[str, Field(pattern=r"^(md5:[0-9a-f]{32}|sha256:[0-9a-f]{64})$")] | None = None
    description: str


def external_files(table: Path = _TABLE) -> Mapping[str, ExternalFile]:
    """Return the files of the table by their names.

    Raises:
        SettingsError: a row is wrong, or two rows share a name or a file.
    """
    with open(table, encoding="utf-8", newline="") as lines:
        rows = [
            parse(ExternalFile, {key: value or None for key, value in row.items()}, f"{table}, row {number}")
            for number, row in enumerate(csv.DictReader(lines), start=1)
        ]
    for column in ("name", "file"):
        values = [getattr(row, column) for row in rows]
        repeated = sorted({value for value in values if values.count(value) > 1})
        if repeated:
            raise SettingsError(f"{table}: two rows have the {column} '{repeated[0]}'")
    return {row.name: row for row in rows}
