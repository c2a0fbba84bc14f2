"""Figures and tables of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {
    "profiles": "studies.showers.figures.profiles:draw_profiles",
    "spectra": "studies.showers.figures.spectra:draw_spectra",
    "response": "studies.showers.figures.response:draw_response",
    "displays": "studies.showers.figures.displays:draw_displays",
    "times": "studies.showers.figures.times:draw_times",
    "comparison": "studies.showers.figures.comparison:draw_comparison",
    "histories": "studies.showers.figures.histories:draw_histories",
}
TABLES: Mapping[str, str] = {
    "distances": "studies.showers.tables:distances",
    "judgements": "studies.showers.tables:judgements",
}
