"""Commands that show: figures, tables, the summary, model cards, the table of data; and what is known of a file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    draw = commands.add("draw", "draw one figure as PDF and PNG")
    draw.add("figure", help="as in STUDY/NAME").converted("figure", _figure)
    draw.json("--files", "what the figure is drawn from").outputs("pdf", "png")

    table = commands.add("tabulate", "write one table as HTML, CSV and LaTeX")
    table.add("table", help="as in STUDY/NAME").converted("table", _table)
    table.json("--files", "what the table is made from").outputs("html", "csv", "latex")

    summary = commands.add("summarise", "write what each study asks and answers as HTML and CSV")
    summary.add("studies", nargs="+", metavar="study").converted("studies", _answers)
    summary.json("--files", "scale, seed, and question, files and picture of each study").outputs("html", "csv")

    card = commands.add("model-card", "describe a trained model in Markdown")
    card.add("kind", help="of the model, as generator or STUDY/NAME").converted("kind", _card)
    card.json("--files", "the trainings of the model, its data, the metrics").output()

    data = commands.add("data-table", "list raw and external files with their hashes")
    data.json("--files", "a list 'files', file and source of each").output()

    init = commands.add("init", "put Snakefile, rules, settings, profiles and examples into a new folder, ready to run")
    init.add("folder", type=Path)

    inspect = commands.add("inspect", "say what made a file and verify it")
    inspect.add("path", type=Path, metavar="file")
    inspect.add("--json", dest="as_json", action="store_true", help="for machines")

    verify = commands.add("verify", "find what is damaged, missing or stale in a results folder")
    verify.add("folder", type=Path).add("--json", dest="as_json", action="store_true", help="for machines")

    publish = commands.add("publish", "make a folder for HEPData, Zenodo and other repositories from results")
    publish.add("results", type=Path, help="folder of a finished analysis").converted("results", _results)
    publish.settings("what only the authors know; by default nothing", "about", default="{}")
    publish.add("--output", type=Path, required=True, help="folder to write")


# Only these commands need to know studies: a drawing or card its own, the summary and a publication all.


def _figure(name: str, _: Any) -> Callable[..., Any]:
    from cloudchamber.drawings import figure_of

    return figure_of(name)


def _table(name: str, _: Any) -> Callable[..., Any]:
    from cloudchamber.drawings import table_of

    return table_of(name)


def _card(name: str, _: Any) -> Callable[..., Any]:
    from cloudchamber.drawings import card_of

    return card_of(name)


def _answers(names: Sequence[str], _: Any) -> dict[str, Callable[..., Any]]:
    from cloudchamber.analysis import answers_of

    return answers_of(names)


def _results(folder: Path, _: Any) -> Any:
    from cloudchamber.analysis import planned
    from cloudchamber.publishing.results import Results, settings_of_results

    return Results(folder, planned(settings_of_results(folder), f"{folder}: settings"))
