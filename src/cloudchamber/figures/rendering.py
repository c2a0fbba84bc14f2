"""Tables as HTML, LaTeX and CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import final

import pandas as pd

__all__ = ["Table", "as_html", "as_latex", "latex_text"]

_STYLE = """
body { font-family: sans-serif; margin: 1.5em; color: #222; }
table { border-collapse: collapse; border-top: 2px solid #222; border-bottom: 2px solid #222; }
caption { text-align: left; font-weight: bold; padding-bottom: 0.6em; }
th, td { padding: 0.3em 0.9em; text-align: right; white-space: nowrap; vertical-align: top; }
th { border-bottom: 1px solid #222; white-space: normal; }
th:first-child, td:first-child { text-align: left; }
tr.reference td { border-top: 1px solid #999; color: #444; }
table.text th, table.text td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
tbody tr:nth-child(even) { background: #f4f4f4; }
p { max-width: 60em; font-size: 0.9em; }
"""

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "τ": r"$\tau$",
    "η": r"$\eta$",
    "φ": r"$\phi$",
    "⁻": r"\textsuperscript{-}",
    "³": r"\textsuperscript{3}",
    "⁶": r"\textsuperscript{6}",
    "⁹": r"\textsuperscript{9}",
}


@final
@dataclass(frozen=True)
class Table:
    """A table ready to be shown.

    Attributes:
        title: what it shows.
        header: names of the columns.
        rows: cells of the models, line by line.
        references: cells of lines that the models are to be read against, such as a floor.
        notes: sentences that belong to it: sizes of samples, meaning of uncertainties.
        data: the same numbers with all digits, one line each.
        text: whether the cells are words, to be broken into lines, and not numbers.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str]
    data: pd.DataFrame
    references: Sequence[Sequence[str]] = ()
    text: bool = False


def as_html(table: Table) -> str:
    """Return a page that needs no other file."""

    def line(cells: Sequence[str], tag: str, name: str = "") -> str:
        inner = "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells)
        return f'<tr class="{name}">{inner}</tr>' if name else f"<tr>{inner}</tr>"

    body = [*(line(row, "td") for row in table.rows), *(line(row, "td", "reference") for row in table.references)]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>{escape(table.title)}</title><style>{_STYLE}</style></head>',
            "<body>",
            f'<table class="{"text" if table.text else "numbers"}">',
            f"<caption>{escape(table.title)}</caption>",
            f"<thead>{line(table.header, 'th')}</thead>",
            "<tbody>",
            *body,
            "</tbody>",
            "</table>",
            *(f"<p>{escape(note)}</p>" for note in table.notes),
            "</body>",
            "</html>",
            "",
        ]
    )


def as_latex(table: Table) -> str:
    """Return a tabular that needs the package booktabs only; title and notes are comments."""
    columns = ("l" if table.text else "r") * (len(table.header) - 1)
    references = [_latex_line(row) for row in table.references]
    return "\n".join(
        [
            *(f"% {' '.join(text.split())}" for text in (table.title, *table.notes)),
            rf"\begin{{tabular}}{{l{columns}}}",
            r"\toprule",
            _latex_line(table.header),
            r"\midrule",
            *(_latex_line(row) for row in table.rows),
            *([r"\midrule", *references] if references else []),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _latex_line(cells: Sequence[str]) -> str:
    return " & ".join(latex_text(cell) for cell in cells) + r" \\"


def latex_text(text: str) -> str:
    """Return plain text for LaTeX, with its special characters written out."""
    return "".join(_LATEX.get(character, character) for character in text)
