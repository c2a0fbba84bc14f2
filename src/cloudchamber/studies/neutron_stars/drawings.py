"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

_MODULES = "studies.neutron_stars.figures"

FIGURES: Mapping[str, str] = {
    "curves": f"{_MODULES}.mass_radius:draw_curves",
    "predictions": f"{_MODULES}.predictions:draw_predictions",
    "posteriors": f"{_MODULES}.contours:draw_posteriors",
    "scans": f"{_MODULES}.scans:draw_scans",
    "coverage": f"{_MODULES}.coverage:draw_coverage",
}
TABLES: Mapping[str, str] = {
    "results": "studies.neutron_stars.tables:results",
    "scans": "studies.neutron_stars.tables:scans",
}
CARDS: Mapping[str, str] = {"star_model": "studies.neutron_stars.card_kind:StarModelCard"}
