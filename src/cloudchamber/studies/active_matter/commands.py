"""Commands of the study of active matter."""

from pathlib import Path

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    simulate = commands.add("simulate", "simulate an ensemble: snapshots of trajectories as clouds")
    simulate.settings("the ensemble").seed().output()
    simulate.add("--state", type=Path, required=True, help="folder of saved states, from which a simulation goes on")

    train = commands.add("train", "fit a score to the snapshots of an ensemble")
    train.add("snapshots", type=Path, help="file of clouds of the ensemble")
    train.add("--drives", type=float, nargs="+", required=True, help="drives of the ensemble that are trained on")
    train.training("the score")

    measure = commands.add("measure", "measure entropy production and checks of all trainings of a model")
    measure.settings("the measurement").seed().outputs("quantities", "fields")
    measure.json("--files", 'trainings and ensembles: {"trainings": [...], "ensembles": [...]}')

    evaluate = commands.add("evaluate", "gather the numbers of all models beside estimates without a network")
    evaluate.settings("the study").seed().outputs("metrics", "denoising", "phases")
    evaluate.json("--files", 'ensembles and models: {"ensembles": [...], "models": [...]}')
