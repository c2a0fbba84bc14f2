"""Commands of the study of neutron stars."""

from pathlib import Path

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    solve = commands.add("solve", "draw equations of state and solve their stars")
    solve.settings("the curves").seed().outputs("curves", "grid")

    observe = commands.add("observe", "sets of observed stars of each equation of state")
    observe.add("curves", type=Path, help="made by solve").settings("the stars").seed().output()

    train = commands.add("train", "train a model on stars of the curves")
    train.add("source", type=Path, help="curves, made by solve").training("the model")

    references = commands.add("references", "estimates of the constant, of ridge regression, of the exact posterior")
    for name, text in (("curves", "made by solve"), ("sets", "made by observe"), ("grid", "made by solve")):
        references.add(name, type=Path, help=text)
    references.settings("stars and evaluation").outputs("constant", "ridge", "exact", "case")

    estimate = commands.add("estimate", "estimates of a trained model for the test sets")
    for name, text in (("sets", "made by observe"), ("grid", "made by solve")):
        estimate.add(name, type=Path, help=text)
    estimate.model().outputs("output", "case")

    evaluate = commands.add("evaluate", "metrics of all methods")
    evaluate.json("--files", "sets, and estimates: a list of name, seed and path")
    evaluate.settings("stars and evaluation").seed().output()
