"""Histories of the networks: losses."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.histories import LOSSES, histories, read_histories
from cloudchamber.settings.entries import need

__all__ = ["CAPTIONS", "draw_histories"]

CAPTIONS = {
    "histories": (
        "Loss of the training and of the validation part, divided by its last value, of all trainings. Each training "
        "loss is the mean over the steps since the one before. Losses of points, of their numbers and of flow maps "
        "are of different things; their sizes do not compare. The heading says what made the true showers: the "
        "parametrisation is a stand-in and says nothing of real showers, Geant4 with substitute low-energy tables is "
        "transport and no reference."
    ),
}


def draw_histories(files: Mapping[str, Any]) -> Figure:
    """Draw the losses of all trainings against the step."""
    title = f"{need(files, 'title')}: {need(files, 'source')}"
    return histories(read_histories(files, LOSSES), title, LOSSES)
