"""Stages of generative models: training, sampling, what solvers and models cost."""

from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import (
    add_command,
    add_model,
    add_output,
    add_seed_and_output,
    add_settings,
    add_training,
    json_argument,
    positive,
)

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the sub-commands to the parser."""
    train = add_command(commands, "train", _train, "train a generative model")
    add_training(train, "a model")

    flow = add_command(commands, "train-jet-flow", _train_jet_flow, "train the flow of multiplicity, pT, eta and mass")
    add_training(flow, "a jet-level flow")

    jets = add_command(commands, "draw-jets", _draw_jets, "draw the jets to generate: multiplicity, pT, eta and mass")
    jets.add_argument("source", type=Path, metavar="prepared")
    jets.add_argument("--jets", type=positive, required=True)
    jets.add_argument("--model", nargs="*", type=Path, default=[], help="weights and description, where it is a flow")
    add_seed_and_output(jets)

    sample = add_command(commands, "sample", _sample, "draw clouds from a trained model")
    sample.add_argument("jets", type=Path, help="drawn by draw-jets")
    add_model(sample)
    add_settings(sample, "a sampler")
    sample.add_argument("--shard", default="1-of-1", help="the part of the jets to draw for, as in 2-of-8")
    add_seed_and_output(sample)

    gather = add_command(commands, "gather-sample", _gather_sample, "put the shards of a sample together")
    gather.add_argument("parts", type=Path, nargs="+", help="all shards, in any order")
    add_output(gather)

    marginals = add_command(commands, "sample-marginals", _sample_marginals, "draw clouds of independent particles")
    marginals.add_argument("source", type=Path, metavar="prepared")
    marginals.add_argument("--jets", type=Path, required=True, help="drawn by draw-jets")
    add_seed_and_output(marginals)

    scan = add_command(commands, "solver-scan", _solver_scan, "distances from truth against solver and evaluations")
    scan.add_argument("jets", type=Path, help="drawn by draw-jets")
    add_model(scan)
    for name in ("truth", "truth-observables"):
        scan.add_argument(f"--{name}", type=Path, required=True)
    add_settings(scan, "a scan")
    scan.add_argument("--metrics", required=True, help="settings of metrics, in the same form")
    add_seed_and_output(scan)

    timing = add_command(commands, "sampling-time", _sampling_time, "time per jet against its number of particles")
    timing.add_argument("--models", required=True, help="JSON: sampler, weights and description of each model")
    add_settings(timing, "a measurement")
    add_output(timing)


def _train(
    source: Path, settings: str, seed: int, state: Path, weights: Path, description: Path, history: Path
) -> None:
    from cloudchamber.generative.train import train
    from cloudchamber.settings.base import load
    from cloudchamber.settings.generators import GeneratorSettings

    train(source, load(GeneratorSettings, settings), seed, state, weights, description, history)


def _train_jet_flow(
    source: Path, settings: str, seed: int, state: Path, weights: Path, description: Path, history: Path
) -> None:
    from cloudchamber.generative.train_jet_flow import train_jet_flow
    from cloudchamber.settings.base import load
    from cloudchamber.settings.jet_level import JetFlowSettings

    train_jet_flow(source, load(JetFlowSettings, settings), seed, state, weights, description, history)


def _draw_jets(source: Path, jets: int, model: list[Path], seed: int, output: Path) -> None:
    from cloudchamber.errors import SettingsError
    from cloudchamber.generative.draw_jets import draw_jets

    if len(model) not in (0, 2):
        raise SettingsError("--model: expected weights and description of a flow, or nothing")
    draw_jets(source, (model[0], model[1]) if model else None, jets, seed, output)


def _sample(jets: Path, model: list[Path], settings: str, seed: int, output: Path, shard: str) -> None:
    from cloudchamber.generative.sample import sample_model
    from cloudchamber.generative.shards import Shard
    from cloudchamber.settings.base import load
    from cloudchamber.settings.generators import SamplerSettings

    sample_model(model[0], model[1], jets, load(SamplerSettings, settings), seed, output, Shard.parse(shard))


def _gather_sample(parts: list[Path], output: Path) -> None:
    from cloudchamber.generative.shards import gather_sample

    gather_sample(parts, output)


def _sample_marginals(source: Path, jets: Path, seed: int, output: Path) -> None:
    from cloudchamber.generative.sample import sample_marginals

    sample_marginals(source, jets, seed, output)


def _solver_scan(
    jets: Path,
    model: list[Path],
    truth: Path,
    truth_observables: Path,
    settings: str,
    metrics: str,
    seed: int,
    output: Path,
) -> None:
    from cloudchamber.generative.solver_scan import solver_scan
    from cloudchamber.settings.base import load
    from cloudchamber.settings.generation import SolverScanSettings
    from cloudchamber.settings.metrics import MetricSettings

    scan, metric_settings = load(SolverScanSettings, settings), load(MetricSettings, metrics)
    solver_scan(model[0], model[1], truth, truth_observables, jets, scan, metric_settings, seed, output)


def _sampling_time(models: str, settings: str, output: Path) -> None:
    from cloudchamber.generative.sampling_time import sampling_time
    from cloudchamber.settings.base import load
    from cloudchamber.settings.generation import SamplingTimeSettings

    sampling_time(json_argument(models, "--models"), load(SamplingTimeSettings, settings), output)
