"""Histories of the generative trainings: losses, and the distances of jet mass and jet pT."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.histories import LOSSES, histories, read_histories
from cloudchamber.jets.features import LABELS
from cloudchamber.settings.entries import need

__all__ = ["PANELS", "draw_histories"]

CAPTIONS = {
    "histories": (
        "Training loss and validation loss of the trained models, each divided by its last value, and the "
        "Wasserstein-1 distances of relative jet mass and relative jet transverse momentum between validation "
        "jets and as many jets drawn with few evaluations, against the training step. One line per training. "
        "Each training loss is the mean over the steps since the one before. "
        "Validation uses the averaged weights. Losses of different objectives are different quantities and "
        "are not to be compared; a flat loss does not mean that the jets have stopped improving."
    ),
}

PANELS = {
    **LOSSES,
    "w1_jet_mass": r"Wasserstein-1 of $m_\mathrm{jet} / p_\mathrm{T}^\mathrm{jet}$",
    "w1_jet_pt": f"Wasserstein-1 of {LABELS['jet_pt_rel'].symbol}",
}


def draw_histories(files: Mapping[str, Any]) -> Figure:
    """Draw losses and validation figures of all trainings against the step."""
    return histories(read_histories(files, PANELS), need(files, "title"), PANELS)
