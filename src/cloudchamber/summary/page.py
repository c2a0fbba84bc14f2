"""The page of the summary: it stands alone, and opens the report of Snakemake."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import final

from cloudchamber import __version__
from cloudchamber.summary.answer import Answer

__all__ = ["SCALE_NOTES", "Section", "as_page"]

SCALE_NOTES = {
    "default": (
        "The default scale is a quick look: small networks and short trainings with one seed, where no settings say "
        "otherwise."
    ),
    "tiny": "The scale tiny is for tests: its numbers mean nothing.",
}
_NOTE = (
    "± is the uncertainty from the finite samples. In brackets stands the standard deviation over seeds, where there "
    "are several. Numbers are told apart where they differ by more than two combined uncertainties."
)

# The report shows the page inside of its own: rules of its first screen, which its drawing of all jobs would fill,
# stand here too. They hold while the summary is shown, since they come and go with it.
_STYLE = """
.summary { max-width: 74rem; margin: 0 auto; padding: 1rem; color: #1e293b; background: #fff;
  font: 400 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
.summary h1 { margin: 0; font-size: 1.5rem; font-weight: 700; line-height: 1.3; }
.summary .about { margin: 0.15rem 0 0; font-size: 0.8125rem; color: #64748b; }
.summary .headlines { margin: 0.6rem 0 0; padding: 0; list-style: none; }
.summary .headlines li { margin: 0.15rem 0 0; padding: 0; }
.summary .headlines a { color: inherit; font-weight: 400; text-decoration-color: #94a3b8; }
.summary section { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1.1fr); gap: 0 2rem;
  margin-top: 1.1rem; padding-top: 1.1rem; border-top: 1px solid #cbd5e1; }
.summary .study { margin: 0; font-size: 0.75rem; font-weight: 600; letter-spacing: 0.06em; text-transform: uppercase;
  color: #047857; }
.summary h2 { margin: 0.1rem 0 0.5rem; font-size: 1.125rem; font-weight: 600; line-height: 1.35; }
.summary h3 { margin: 0.8rem 0 0.2rem; font-size: 0.9375rem; font-weight: 600; }
.summary strong { font-weight: 600; color: inherit; }
.summary .answer { margin: 0 0 0.6rem; }
.summary table { margin: 0 0 0.6rem; width: auto; border-collapse: collapse; font-size: 0.8125rem; line-height: 1.4; }
.summary th, .summary td { padding: 0.1rem 0; border: 0; vertical-align: top; text-align: left; font-weight: 400; }
.summary th { padding-right: 1.25rem; white-space: nowrap; color: #64748b; }
.summary td { font-variant-numeric: tabular-nums; }
.summary .more { margin: 0; font-size: 0.875rem; }
.summary a { color: #047857; text-decoration: underline; text-underline-offset: 2px; font-weight: 500; }
.summary img { display: block; width: 100%; height: auto; max-height: 24rem; object-fit: contain; object-position: top;
  margin: 0; }
.summary .note { margin: 1.1rem 0 0; padding-top: 0.6rem; border-top: 1px solid #cbd5e1; font-size: 0.8125rem;
  color: #64748b; }
.framed .summary a:not([href^="#"]) { color: inherit; text-decoration: none; pointer-events: none; }
@media (max-width: 60rem) { .summary section { grid-template-columns: 1fr; } }
#app .items-center.h-screen { align-items: flex-start; justify-content: flex-start; min-width: 0; }
#app .items-start { flex-direction: column; padding: 1rem 2rem; min-width: 0; }
#app .summary { margin: 0; padding: 0; }
#app .prose { max-width: none; }
#app .prose p { max-width: 46rem; }
#app .summary p { max-width: none; }
"""


@final
@dataclass(frozen=True)
class Section:
    """One study.

    Attributes:
        name, title, question: of the study.
        answers: one, or one of each data set.
        image: its picture, as a data URI.
        picture: path of the whole figure.
        folder: of its figures.
    """

    name: str
    title: str
    question: str
    answers: tuple[Answer, ...]
    image: str
    picture: str
    folder: str


def as_page(sections: Sequence[Section], scale: str, seed: int, folder: Path) -> str:
    """Return the page as HTML.

    Args:
        sections: of the studies, in their order.
        scale, seed: of the analysis.
        folder: in which the page will lie; links are relative to it.
    """
    about = f"cloudchamber {__version__}, scale {scale}, seed {seed}. {SCALE_NOTES.get(scale, '')}".strip()
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            f'<head><meta charset="utf-8"><title>Summary</title><style>{_STYLE}</style></head>',
            # In a frame of the report, links to files lead nowhere.
            "<body onload=\"document.body.classList.toggle('framed', window !== window.parent)\">",
            '<main class="summary not-prose">',
            "<h1>Summary</h1>",
            f'<p class="about">{escape(about)}</p>',
            '<ul class="headlines">',
            *(_headline(section, answer) for section in sections for answer in section.answers),
            "</ul>",
            *(line for section in sections for line in _section(section, folder)),
            f'<p class="note">{escape(_NOTE)}</p>',
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _headline(section: Section, answer: Answer) -> str:
    """Return the result of a study in one line, which leads to its section."""
    name = f"{section.title}, {answer.dataset}" if answer.dataset else section.title
    content = f"<strong>{escape(name)}</strong>: {_unbroken(escape(answer.headline))}"
    return f'<li><a href="#summary_{section.name}">{content}</a></li>'


def _section(section: Section, folder: Path) -> Iterator[str]:
    figure = f"app.setView({{content: 'img', contentPath: results[{json.dumps(str(Path(section.picture)))}].data_uri}})"
    category = f"app.showCategory({json.dumps(section.title)})"
    yield f'<section id="summary_{section.name}"><div>'
    yield f'<p class="study">{escape(section.title)}</p>'
    yield f"<h2>{escape(section.question)}</h2>"
    for answer in section.answers:
        if answer.dataset:
            yield f"<h3>{escape(answer.dataset)}</h3>"
        yield f'<p class="answer">{_sentences(answer)}</p>'
        if answer.facts:
            rows = "".join(
                f"<tr><th>{escape(name)}</th><td>{escape(fact)}</td></tr>" for name, fact in answer.facts.items()
            )
            yield f"<table><tbody>{rows}</tbody></table>"
    link = _link(f"{section.folder}/", folder, category, f"Figures and tables: {escape(section.title)}")
    yield f'<p class="more">{link}</p>'
    yield "</div>"
    image = f'<img src="{section.image}" alt="{escape(section.title)}: {escape(Path(section.picture).stem)}">'
    yield f"<div>{_link(section.picture, folder, figure, image)}</div>"
    yield "</section>"


def _sentences(answer: Answer) -> str:
    """Return the text with the best model set off."""
    text, name = _unbroken(escape(answer.text)), escape(answer.best_model)
    return text.replace(name, f"<strong>{name}</strong>", 1) if name else text


def _unbroken(text: str) -> str:
    """Return a text in which no number is parted from its uncertainty at the end of a line."""
    return text.replace(" ± ", "\u00a0±\u00a0")


def _link(path: str, folder: Path, action: str, content: str) -> str:
    """Return a link to a file; in the report, whose files are inside of it, its action in place of it."""
    target = os.path.relpath(path, folder) + ("/" if path.endswith("/") else "")
    run = f"if (typeof app === 'undefined') return true; {action}; return false"
    return f'<a href="{escape(target)}" onclick="{escape(run)}">{content}</a>'
