"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {
    "efficiency": "studies.assignment.figures.efficiency:draw_efficiency",
    "learning_curve": "studies.assignment.figures.learning_curve:draw_learning_curve",
    "top_pt": "studies.assignment.figures.efficiency:draw_top_pt",
    "masses": "studies.assignment.figures.masses:draw_masses",
    "sculpting": "studies.assignment.figures.masses:draw_sculpting",
    "calibration": "studies.assignment.figures.calibration:draw_calibration",
    "attention": "studies.assignment.figures.attention:draw_attention",
    "histories": "studies.assignment.figures.histories:draw_histories",
}
TABLES: Mapping[str, str] = {
    "efficiencies": "studies.assignment.tables:efficiencies",
    "significance": "studies.assignment.tables:significance",
    "cost": "studies.assignment.tables:cost",
}
CARDS: Mapping[str, str] = {"network": "studies.assignment.card_kind:AssignmentCard"}
