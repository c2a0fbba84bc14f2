"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

_FIGURES = "studies.macaron.figures"

FIGURES: Mapping[str, str] = {
    "paths": f"{_FIGURES}.paths:draw_paths",
    "convergence": f"{_FIGURES}.convergence:draw_convergence",
    "arms": f"{_FIGURES}.arms:draw_arms",
    "refinement": f"{_FIGURES}.refinement:draw_refinement",
}
TABLES: Mapping[str, str] = {
    "orders": "studies.macaron.tables:orders",
    "arms": "studies.macaron.tables:arms",
    "refinement": "studies.macaron.tables:refinement",
}
CARDS: Mapping[str, str] = {"block": "studies.macaron.card_kind:BlockCard"}
