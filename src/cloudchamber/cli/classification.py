"""Commands of taggers: jets of all classes, features, training, what taggers give and cost."""

from pathlib import Path

from cloudchamber.arguments import Commands, Options, positive

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    jets = commands.add("combine-classes", "combine the jets of all classes")
    jets.settings("the classes and their jets").seed().output()

    features = commands.add("high-level", "high-level features of jets: mass and N-subjettiness")
    _jets(features).settings("the features").output()

    train = commands.add("train-tagger", "train a tagger")
    _features(_jets(train)).training("a tagger")
    train.add("--jets-per-class", type=positive, help="training jets of each class; by default all")

    predict = commands.add("predict-classes", "probabilities of the classes of test jets")
    _features(_jets(predict)).model().output()

    cost = commands.add("tagger-cost", "parameters, operations and times of taggers")
    _features(_jets(cost)).json("--models", "weights and description of each tagger")
    cost.settings("a measurement").output()

    evaluate = commands.add("evaluate-taggers", "judge taggers on the test jets")
    _jets(evaluate).json("--files", "the scores of each training, the table of costs")
    evaluate.settings("an evaluation").seed().outputs("metrics", "confusion", "curves", "significance")

    commands.add("export-tagger", "write a tagger as ONNX").model().output()


def _jets(command: Options) -> Options:
    return command.add("jets", type=Path, help="made by combine-classes")


def _features(command: Options) -> Options:
    return command.add("--high-level", type=Path, help="features of the same jets, for a tagger that takes them")
