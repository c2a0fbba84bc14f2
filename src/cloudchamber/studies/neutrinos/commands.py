"""Commands of the neutrino study."""

from pathlib import Path

from cloudchamber.arguments import Commands, Options, not_negative

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    simulate = commands.add("simulate", "write raw files of neutrino interactions in the toy detector")
    simulate.settings("beam and detector")
    simulate.add("--shard", type=not_negative, default=0, help="number of the file, from 0").seed().output()

    ingest = commands.add("ingest", "read raw files and write clouds of pixels with their parts")
    ingest.add("sources", type=Path, nargs="+", help="ROOT files of neutrinos simulate")
    ingest.settings("window and parts").settings("the detector", "detector").seed().output()

    _events(commands.add("train", "train a network that names interactions and prongs")).training("the network")

    classify = _events(commands.add("classify", "classify the test events by every network"))
    classify.json("--files", "networks with weights and description")
    classify.add("--display-events", type=not_negative, default=0, help="events whose attention is kept").output()

    evaluate = _events(commands.add("evaluate", "judge every classifier on the test events"))
    evaluate.json("--files", "scores, and the model that others are compared with").settings("the evaluation").seed()
    evaluate.outputs("metrics", "differences", "confusion", "curves")


def _events(command: Options) -> Options:
    return command.add("events", type=Path, help="made by neutrinos ingest")
