"""Histories of the networks: losses."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.histories import LOSSES, histories, read_histories
from cloudchamber.studies.neutrinos.reading import heading

__all__ = ["draw_histories"]

CAPTIONS = {
    "histories": (
        "Loss of the training and of the validation part, divided by its last value, of all trainings and of the "
        "ceiling. Each training loss is the mean over the steps since the one before. All is a stand-in, Pythia 8 on "
        "free protons in a toy detector, and not NOvA."
    ),
}


def draw_histories(files: Mapping[str, Any]) -> Figure:
    """Draw the losses of all trainings against the step."""
    return histories(read_histories(files, LOSSES), heading(files), LOSSES)
