"""The command line: one sub-command per stage of the pipeline, argument parsing only.

Stages are imported when they run, so that training and sampling work where the packages of other stages are missing.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cloudchamber import __version__
from cloudchamber.errors import CloudchamberError

__all__ = ["main"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage and return its exit status; an error that a user can meet prints as one line."""
    options = vars(_parser().parse_args(arguments))
    stage: Callable[..., None] = options.pop("stage")
    name = options.pop("command")
    # Numerical libraries read these when they are first imported, which no stage has been yet.
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(options["threads"])
    del options["threads"]
    try:
        stage(**options)
    except CloudchamberError as error:
        sys.stderr.write(f"cloudchamber {name}: {' '.join(str(error).split())}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloudchamber", description="Particle clouds from raw files to figures.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="STAGE")

    simulate = _command(commands, "simulate", _simulate, "simulate collisions and detector into a Delphes file")
    simulate.add_argument("--name", required=True, help="name of the process: part of the seed")
    _settings(simulate, "a process")
    simulate.add_argument("--shard", type=int, default=0, help="which of the process's files")
    _seed_and_output(simulate)

    ingest = _command(commands, "ingest", _ingest, "read Delphes files into clouds")
    ingest.add_argument("files", nargs="+", help="ROOT files; wildcards are expanded")
    _settings(ingest, "an ingestion")
    _output(ingest)

    prepare = _command(commands, "prepare", _prepare, "relative coordinates, split, standardisation")
    prepare.add_argument("source", type=Path, metavar="clouds")
    _settings(prepare, "a preparation")
    _seed_and_output(prepare)

    train = _command(commands, "train", _train, "train a generative model")
    train.add_argument("source", type=Path, metavar="prepared")
    _settings(train, "a model")
    train.add_argument("--seed", type=int, required=True)
    train.add_argument("--state", type=Path, required=True, help="folder of the resumable state")
    for name in ("weights", "description", "history"):
        train.add_argument(f"--{name}", type=Path, required=True, help="output")

    sample = _command(commands, "sample", _sample, "draw clouds from a trained model")
    sample.add_argument("source", type=Path, metavar="prepared")
    sample.add_argument("--weights", type=Path, required=True)
    sample.add_argument("--description", type=Path, required=True)
    _settings(sample, "a sampler")
    sample.add_argument("--jets", type=int, required=True)
    _seed_and_output(sample)

    marginals = _command(commands, "sample-marginals", _sample_marginals, "draw clouds of independent particles")
    marginals.add_argument("source", type=Path, metavar="prepared")
    marginals.add_argument("--jets", type=int, required=True)
    _seed_and_output(marginals)

    observe = _command(commands, "observe", _observe, "jet mass, pT, multiplicity and substructure of clouds")
    observe.add_argument("source", type=Path, metavar="clouds")
    _output(observe)

    compare = _command(commands, "compare", _compare, "distances between generated and true jets")
    for name in ("truth", "truth-observables", "sample", "sample-observables"):
        compare.add_argument(f"--{name}", type=Path, required=True)
    _settings(compare, "metrics")
    _seed_and_output(compare)

    posterior = _command(commands, "log-posterior", _log_posterior, "ParticleNet log posterior of generated classes")
    posterior.add_argument("--truth", type=Path, required=True)
    posterior.add_argument("--classes", nargs="+", required=True, metavar="NAME=FILE", help="generated clouds")
    _settings(posterior, "a log posterior")
    posterior.add_argument("--state", type=Path, required=True, help="folder of the resumable state")
    posterior.add_argument("--history", type=Path, required=True, help="output: training history")
    posterior.add_argument("--confusion", type=Path, required=True, help="output: mean posterior of each class")
    _seed_and_output(posterior)

    evaluate = _command(commands, "evaluate", _evaluate, "gather all metrics of a study into one table")
    evaluate.add_argument("--study", required=True)
    evaluate.add_argument("--files", required=True, help="JSON: the tables and samples of each model")
    _output(evaluate)

    draw = _command(commands, "draw", _draw, "draw one figure as PDF and PNG")
    draw.add_argument("figure")
    draw.add_argument("--files", required=True, help="JSON: what the figure is drawn from")
    draw.add_argument("--pdf", type=Path, required=True)
    draw.add_argument("--png", type=Path, required=True)

    table = _command(commands, "tabulate", _tabulate, "write one table as HTML, CSV and LaTeX")
    table.add_argument("table")
    table.add_argument("--files", required=True, help="JSON: what the table is made from")
    table.add_argument("--html", type=Path, required=True)
    table.add_argument("--csv", type=Path, required=True)
    table.add_argument("--latex", type=Path, required=True)

    for name, stage, text in (
        ("to-jetnet", _to_jetnet, "write prepared or generated clouds in the JetNet layout"),
        ("from-jetnet", _from_jetnet, "read a JetNet file into clouds"),
    ):
        convert = _command(commands, name, stage, text)
        convert.add_argument("source", type=Path)
        _output(convert)
    return parser


def _command(commands: Any, name: str, stage: Callable[..., None], text: str) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text)
    command.set_defaults(stage=stage)
    command.add_argument("--threads", type=int, default=1, help="threads of this process")
    return command


def _settings(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("--settings", required=True, help=f"settings of {what}: inline JSON, or a YAML or JSON file")


def _output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--output", type=Path, required=True)


def _seed_and_output(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seed", type=int, required=True)
    _output(command)


def _simulate(name: str, settings: str, shard: int, seed: int, output: Path) -> None:
    from cloudchamber.settings import ProcessSettings, load
    from cloudchamber.simulation.simulate import simulate

    simulate(name, load(ProcessSettings, settings), seed, shard, output)


def _ingest(files: list[str], settings: str, output: Path) -> None:
    from cloudchamber.preparation.ingestion import ingest
    from cloudchamber.readers.delphes import expand
    from cloudchamber.settings import IngestionSettings, load

    ingest(expand(files), load(IngestionSettings, settings), output)


def _prepare(source: Path, settings: str, seed: int, output: Path) -> None:
    from cloudchamber.preparation.prepare import prepare
    from cloudchamber.settings import PreparationSettings, load

    prepare(source, load(PreparationSettings, settings), seed, output)


def _train(
    source: Path, settings: str, seed: int, state: Path, weights: Path, description: Path, history: Path
) -> None:
    from cloudchamber.generation.train import train
    from cloudchamber.settings import GeneratorSettings, load

    train(source, load(GeneratorSettings, settings), seed, state, weights, description, history)


def _sample(source: Path, weights: Path, description: Path, settings: str, jets: int, seed: int, output: Path) -> None:
    from cloudchamber.generation.sample import sample_model
    from cloudchamber.settings import SamplerSettings, load

    sample_model(weights, description, source, load(SamplerSettings, settings), jets, seed, output)


def _sample_marginals(source: Path, jets: int, seed: int, output: Path) -> None:
    from cloudchamber.generation.sample import sample_marginals

    sample_marginals(source, jets, seed, output)


def _observe(source: Path, output: Path) -> None:
    from cloudchamber.evaluation.steps import observe_file

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
    from cloudchamber.evaluation.steps import compare_files
    from cloudchamber.settings import MetricSettings, load

    compare_files(
        (truth, truth_observables), (sample, sample_observables), load(MetricSettings, settings), seed, output
    )


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
    from cloudchamber.evaluation.posterior_step import log_posterior
    from cloudchamber.settings import LogPosteriorSettings, load

    named = dict(item.partition("=")[::2] for item in classes)
    if len(named) != len(classes) or not all(named.values()):
        raise SettingsError("--classes: expected NAME=FILE items with different names")
    files = {name: Path(path) for name, path in named.items()}
    log_posterior(truth, files, load(LogPosteriorSettings, settings), seed, state, output, history, confusion)


def _evaluate(study: str, files: str, output: Path) -> None:
    from cloudchamber.evaluation.steps import gather

    gather(study, _json(files), output)


def _draw(figure: str, files: str, pdf: Path, png: Path) -> None:
    from cloudchamber.figures.draw import draw

    draw(figure, _json(files), pdf, png)


def _tabulate(table: str, files: str, html: Path, csv: Path, latex: Path) -> None:
    from cloudchamber.figures.tables import tabulate

    tabulate(table, _json(files), html, csv, latex)


def _to_jetnet(source: Path, output: Path) -> None:
    from cloudchamber.cloud import read_clouds
    from cloudchamber.readers.jetnet import write_jetnet

    write_jetnet(output, read_clouds(source))


def _from_jetnet(source: Path, output: Path) -> None:
    from cloudchamber.cloud import write_clouds
    from cloudchamber.readers.jetnet import read_jetnet

    write_clouds(output, read_jetnet(source))


def _json(text: str) -> Any:
    import json

    from cloudchamber.errors import SettingsError

    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"--files: not JSON: {error}") from error
