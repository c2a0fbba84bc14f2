"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {
    "production": "studies.active_matter.figures.production:draw_production",
    "drives": "studies.active_matter.figures.drives:draw_drives",
    "transfer": "studies.active_matter.figures.transfer:draw_transfer",
    "denoising": "studies.active_matter.figures.denoising:draw_denoising",
    "flow": "studies.active_matter.figures.flow:draw_flow",
    "score_error": "studies.active_matter.figures.score_error:draw_score_error",
    "parity": "studies.active_matter.figures.parity:draw_parity",
    "maps": "studies.active_matter.figures.maps:draw_maps",
    "phases": "studies.active_matter.figures.phases:draw_phases",
}
TABLES: Mapping[str, str] = {
    "production": "studies.active_matter.tables:production",
    "checks": "studies.active_matter.tables:checks",
}
CARDS: Mapping[str, str] = {"score": "studies.active_matter.card_kind:ScoreCard"}
