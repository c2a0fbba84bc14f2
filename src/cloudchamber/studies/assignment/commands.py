"""Commands of the assignment study."""

from pathlib import Path

from cloudchamber.arguments import Commands, Options, not_negative, positive

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    collect = commands.add("collect", "write events in the layout of SPANet, with their parts")
    collect.add("source", type=Path, help="clouds of jets, or a file in the layout of SPANet")
    collect.settings("the parts").seed()
    collect.add("--complete-events", type=positive, help="training events with all jets there that each part needs")
    collect.output()

    train = _events(commands.add("train", "train a network that assigns jets to partons"))
    train.training("a network and its training")
    train.add("--part", required=True, help="whose training events are taken: all, or a fold such as fold0")
    train.add("--complete-events", type=positive, help="training events with all jets there; by default all")

    assign = _events(commands.add("assign", "assign the jets of events by every method"))
    assign.json("--files", "networks, and which events").settings("the chi-square")
    assign.add("--attention-events", type=not_negative, default=0, help="events whose attention is kept").output()

    cost = _events(commands.add("measure-cost", "measure the time of an event"))
    cost.json("--files", "weights and description of each network").settings("the measurement").output()

    evaluate = commands.add("evaluate", "judge the assignments of all methods")
    evaluate.json("--files", "events and assignments of each sample").settings("the evaluation").seed()
    evaluate.outputs("metrics", "significance", "masses", "calibration")

    export = commands.add("export", "write a network as ONNX").model()
    export.add("--jets", type=positive, default=20, help="slots for jets").output()


def _events(command: Options) -> Options:
    return command.add("events", type=Path, help="made by assignment collect")
