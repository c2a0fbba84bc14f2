"""Figures, tables and kinds of model cards of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["CARDS", "FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {
    "profiles": "studies.showers.figures.profiles:draw_profiles",
    "spectra": "studies.showers.figures.spectra:draw_spectra",
    "response": "studies.showers.figures.response:draw_response",
    "displays": "studies.showers.figures.displays:draw_displays",
    "ablation": "studies.showers.figures.ablation:draw_ablation",
    "times": "studies.showers.figures.times:draw_times",
    "comparison": "studies.showers.figures.comparison:draw_comparison",
    "histories": "studies.showers.figures.histories:draw_histories",
}
TABLES: Mapping[str, str] = {
    "ablation": "studies.showers.tables:ablation",
    "distances": "studies.showers.tables:distances",
    "judgements": "studies.showers.tables:judgements",
}
CARDS: Mapping[str, str] = {
    "points": "studies.showers.card_kinds:PointsCard",
    "counts": "studies.showers.card_kinds:CountsCard",
}
