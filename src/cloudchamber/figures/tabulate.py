"""The step ``tabulate``: one table, as HTML, CSV and LaTeX."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cloudchamber.figures.rendering import Table, as_html, as_latex
from cloudchamber.storage import write_text

__all__ = ["tabulate"]


def tabulate(
    table: Callable[[Mapping[str, Any]], Table], files: Mapping[str, Any], html: Path, csv: Path, latex: Path
) -> None:
    """Write one table as HTML, CSV and LaTeX.

    Args:
        table: makes the table from its files.
        files: what it is made from; each table names the keys it needs.
        html, csv, latex: where the files go; the CSV has all digits.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
        StorageError: an output cannot be written.
    """
    made = table(files)
    write_text(html, as_html(made))
    write_text(csv, made.data.to_csv(index=False, lineterminator="\n"))
    write_text(latex, as_latex(made))
