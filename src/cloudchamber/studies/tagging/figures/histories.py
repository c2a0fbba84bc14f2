"""Histories of the taggers: losses and accuracy."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.histories import LOSSES, histories, read_histories
from cloudchamber.settings.entries import need

__all__ = ["PANELS", "draw_histories"]

CAPTIONS = {
    "histories": (
        "Loss of the training and the validation part, divided by its last value, and accuracy on the validation part. "
        "Each training loss is the mean over the steps since the one before."
    ),
}

PANELS = {
    **LOSSES,
    "accuracy": "accuracy on the validation part",
}


def draw_histories(files: Mapping[str, Any]) -> Figure:
    """Draw losses and validation figures of all trainings against the step."""
    return histories(read_histories(files, PANELS), need(files, "title"), PANELS)
