"""Stages that measure and show: observables, metrics, figures, tables."""

from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import (
    add_command,
    add_files_to_write,
    add_output,
    add_seed_and_output,
    add_settings,
    json_argument,
)

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the sub-commands to the parser."""
    observe = add_command(commands, "observe", _observe, "jet mass, pT, multiplicity and substructure of clouds")
    observe.add_argument("source", type=Path, metavar="clouds")
    add_output(observe)

    compare = add_command(commands, "compare", _compare, "distances between generated and true jets")
    for name in ("truth", "truth-observables", "sample", "sample-observables"):
        compare.add_argument(f"--{name}", type=Path, required=True)
    add_settings(compare, "metrics")
    add_seed_and_output(compare)

    compare_jets = add_command(commands, "compare-jets", _compare_jets, "distances between drawn jets and true ones")
    for name in ("truth", "jets"):
        compare_jets.add_argument(f"--{name}", type=Path, required=True)
    add_settings(compare_jets, "metrics")
    add_seed_and_output(compare_jets)

    posterior = add_command(commands, "log-posterior", _log_posterior, "ParticleNet log posterior of generated classes")
    posterior.add_argument("--truth", type=Path, required=True)
    posterior.add_argument("--classes", nargs="+", required=True, metavar="NAME=FILE", help="generated clouds")
    add_settings(posterior, "a log posterior")
    posterior.add_argument("--state", type=Path, required=True, help="folder of the resumable state")
    add_files_to_write(posterior, "history", text="output: training history")
    add_files_to_write(posterior, "confusion", text="output: mean posterior of each class")
    add_seed_and_output(posterior)

    evaluate = add_command(commands, "evaluate", _evaluate, "gather all metrics of a study into one table")
    evaluate.add_argument("--study", required=True)
    evaluate.add_argument("--files", required=True, help="JSON: the tables and samples of each model")
    add_output(evaluate)

    draw = add_command(commands, "draw", _draw, "draw one figure as PDF and PNG")
    draw.add_argument("figure")
    draw.add_argument("--files", required=True, help="JSON: what the figure is drawn from")
    add_files_to_write(draw, "pdf", "png")

    table = add_command(commands, "tabulate", _tabulate, "write one table as HTML, CSV and LaTeX")
    table.add_argument("table")
    table.add_argument("--files", required=True, help="JSON: what the table is made from")
    add_files_to_write(table, "html", "csv", "latex")


def _observe(source: Path, output: Path) -> None:
    from cloudchamber.jets.observe import observe_file

    observe_file(source, output)


def _compare(
    truth: Path,
    truth_observables: Path,
    sample: Path,
    sample_observables: Path,
    settings: str,
    seed: int,
    output: Path,
) -> None:
    from cloudchamber.metrics.compare import compare_files
    from cloudchamber.settings.base import load
    from cloudchamber.settings.metrics import MetricSettings

    compare_files(
        (truth, truth_observables), (sample, sample_observables), load(MetricSettings, settings), seed, output
    )


def _compare_jets(truth: Path, jets: Path, settings: str, seed: int, output: Path) -> None:
    from cloudchamber.generative.compare_jets import compare_jet_features
    from cloudchamber.settings.base import load
    from cloudchamber.settings.metrics import MetricSettings

    compare_jet_features(truth, jets, load(MetricSettings, settings), seed, output)


def _log_posterior(
    truth: Path,
    classes: list[str],
    settings: str,
    state: Path,
    seed: int,
    history: Path,
    confusion: Path,
    output: Path,
) -> None:
    from cloudchamber.errors import SettingsError
    from cloudchamber.metrics.posterior_step import log_posterior
    from cloudchamber.settings.base import load
    from cloudchamber.settings.metrics import LogPosteriorSettings

    named = dict(item.partition("=")[::2] for item in classes)
    if len(named) != len(classes) or not all(named.values()):
        raise SettingsError("--classes: expected NAME=FILE items with different names")
    files = {name: Path(path) for name, path in named.items()}
    log_posterior(truth, files, load(LogPosteriorSettings, settings), seed, state, output, history, confusion)


def _evaluate(study: str, files: str, output: Path) -> None:
    from cloudchamber.generative.gather import gather

    gather(study, json_argument(files), output)


def _draw(figure: str, files: str, pdf: Path, png: Path) -> None:
    from cloudchamber.figures.draw import draw

    draw(figure, json_argument(files), pdf, png)


def _tabulate(table: str, files: str, html: Path, csv: Path, latex: Path) -> None:
    from cloudchamber.figures.tables import tabulate

    tabulate(table, json_argument(files), html, csv, latex)
