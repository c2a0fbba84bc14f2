"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {
    "accuracy": "studies.neutrinos.figures.accuracy:draw_accuracy",
    "baseline": "studies.neutrinos.figures.baseline:draw_baseline",
    "confusion": "studies.neutrinos.figures.confusion:draw_confusion",
    "roc": "studies.neutrinos.figures.roc:draw_roc",
    "energy": "studies.neutrinos.figures.energy:draw_energy",
    "context": "studies.neutrinos.figures.context:draw_context",
    "calibration": "studies.neutrinos.figures.calibration:draw_calibration",
    "displays": "studies.neutrinos.figures.displays:draw_displays",
    "histories": "studies.neutrinos.figures.histories:draw_histories",
}
TABLES: Mapping[str, str] = {
    "classifiers": "studies.neutrinos.tables:classifiers",
    "prongs": "studies.neutrinos.tables:prongs",
    "differences": "studies.neutrinos.tables:differences",
}
CARDS: Mapping[str, str] = {"classifier": "studies.neutrinos.card_kind:NeutrinoCard"}
