"""Stages of the tagging study: jets of all classes, features, taggers, what they give and cost."""

from pathlib import Path
from typing import Any

from cloudchamber.cli.arguments import (
    add_command,
    add_files_to_write,
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
    jets = add_command(commands, "tagging-jets", _tagging_jets, "combine the jets of all classes")
    add_settings(jets, "the classes and their jets")
    add_seed_and_output(jets)

    features = add_command(commands, "high-level", _high_level, "high-level features of jets: mass and N-subjettiness")
    features.add_argument("jets", type=Path, help="made by tagging-jets")
    add_settings(features, "the features")
    add_output(features)

    train = add_command(commands, "train-tagger", _train_tagger, "train a tagger")
    add_training(train, "a tagger")
    _add_features(train)
    train.add_argument("--jets-per-class", type=positive, help="training jets of each class; by default all")

    predict = add_command(commands, "predict-classes", _predict_classes, "probabilities of the classes of test jets")
    predict.add_argument("jets", type=Path, help="made by tagging-jets")
    _add_features(predict)
    add_model(predict)
    add_output(predict)

    cost = add_command(commands, "tagging-cost", _tagging_cost, "parameters, operations and times of taggers")
    cost.add_argument("jets", type=Path, help="made by tagging-jets")
    _add_features(cost)
    cost.add_argument("--models", required=True, help="JSON: weights and description of each tagger")
    add_settings(cost, "a measurement")
    add_output(cost)

    evaluate = add_command(commands, "evaluate-tagging", _evaluate_tagging, "judge taggers on the test jets")
    evaluate.add_argument("jets", type=Path, help="made by tagging-jets")
    evaluate.add_argument("--files", required=True, help="JSON: the scores of each training, the table of costs")
    add_settings(evaluate, "an evaluation")
    evaluate.add_argument("--seed", type=int, required=True)
    add_files_to_write(evaluate, "metrics", "confusion", "curves", "significance")

    relevance = add_command(commands, "tower-relevance", _tower_relevance, "which towers of some jets a tagger heeds")
    relevance.add_argument("jets", type=Path, help="made by tagging-jets")
    add_model(relevance)
    add_output(relevance)

    export = add_command(commands, "export-tagger", _export_tagger, "write a tagger as ONNX")
    add_model(export)
    add_output(export)


def _add_features(command: Any) -> None:
    command.add_argument("--high-level", type=Path, help="features of the same jets, for a tagger that takes them")


def _tagging_jets(settings: str, seed: int, output: Path) -> None:
    from cloudchamber.classification.jets import tagging_jets
    from cloudchamber.settings.base import load
    from cloudchamber.settings.tagging_sample import TaggingJetsSettings

    tagging_jets(load(TaggingJetsSettings, settings), seed, output)


def _high_level(jets: Path, settings: str, output: Path) -> None:
    from cloudchamber.classification.high_level import high_level
    from cloudchamber.settings.base import load
    from cloudchamber.settings.tagging_sample import HighLevelSettings

    high_level(jets, load(HighLevelSettings, settings), output)


def _train_tagger(
    source: Path,
    high_level: Path | None,
    settings: str,
    seed: int,
    jets_per_class: int | None,
    state: Path,
    weights: Path,
    description: Path,
    history: Path,
) -> None:
    from cloudchamber.classification.train import train_tagger
    from cloudchamber.settings.base import load
    from cloudchamber.settings.taggers import TaggerSettings

    tagger = load(TaggerSettings, settings)
    train_tagger(source, high_level, tagger, seed, jets_per_class, state, weights, description, history)


def _predict_classes(jets: Path, high_level: Path | None, model: list[Path], output: Path) -> None:
    from cloudchamber.classification.predict import predict_classes

    weights, description = model
    predict_classes(jets, high_level, weights, description, output)


def _tagging_cost(jets: Path, high_level: Path | None, models: str, settings: str, output: Path) -> None:
    from cloudchamber.classification.cost import measure_cost
    from cloudchamber.settings.base import load
    from cloudchamber.settings.taggers import TaggerCostSettings

    measure_cost(jets, high_level, json_argument(models, "--models"), load(TaggerCostSettings, settings), output)


def _evaluate_tagging(
    jets: Path, files: str, settings: str, seed: int, metrics: Path, confusion: Path, curves: Path, significance: Path
) -> None:
    from cloudchamber.classification.evaluate import Outputs, evaluate
    from cloudchamber.settings.base import load
    from cloudchamber.settings.tagging_sample import TaggingEvaluationSettings

    outputs = Outputs(metrics, confusion, curves, significance)
    evaluate(jets, json_argument(files), load(TaggingEvaluationSettings, settings), seed, outputs)


def _tower_relevance(jets: Path, model: list[Path], output: Path) -> None:
    from cloudchamber.studies.tagging.relevance import tower_relevance

    weights, description = model
    tower_relevance(jets, weights, description, output)


def _export_tagger(model: list[Path], output: Path) -> None:
    from cloudchamber.classification.export import export_tagger

    weights, description = model
    export_tagger(weights, description, output)
