"""Commands of the macaron study."""

from pathlib import Path

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    split = commands.add("split", "measure the order of splitting schemes on interacting particles")
    split.settings("the particles").seed().outputs("errors", "orders", "paths")

    refine = commands.add("refine", "evaluate networks with one F and one G at more steps")
    refine.add("jets", type=Path, help="made by combine-classes")
    refine.json("--files", "trainings: a list of name, seed, weights and description")
    refine.settings("the refinement").output()

    evaluate = commands.add("evaluate", "compare arms on the same test jets and gather all metrics")
    evaluate.add("jets", type=Path, help="made by combine-classes")
    evaluate.json("--files", "orders and errors; scores: a list of arm, learning rate, seed, scores and history")
    evaluate.settings("the comparison").seed().outputs("metrics", "differences")
