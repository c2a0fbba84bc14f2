"""Figures and tables of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["FIGURES", "TABLES"]

_MODULES = "studies.tagging.figures"

FIGURES: Mapping[str, str] = {
    "jets": f"{_MODULES}.sample:draw_jets",
    "images": f"{_MODULES}.sample:draw_images",
    "accuracy": f"{_MODULES}.performance:draw_accuracy",
    "roc": f"{_MODULES}.classes:draw_roc",
    "confusion": f"{_MODULES}.classes:draw_confusion",
    "calibration": f"{_MODULES}.classes:draw_calibration",
    "kinematics": f"{_MODULES}.performance:draw_kinematics",
    "learning_curve": f"{_MODULES}.performance:draw_learning_curve",
    "cost": f"{_MODULES}.performance:draw_cost",
    "histories": f"{_MODULES}.histories:draw_histories",
    "relevance": f"{_MODULES}.relevance:draw_relevance",
}
TABLES: Mapping[str, str] = {
    "models": "studies.tagging.tables:models",
    "significance": "studies.tagging.tables:significance",
}
