"""Figures and tables of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["FIGURES", "TABLES"]

FIGURES: Mapping[str, str] = {"capacity": "studies.gating.figures:draw_capacity"}
TABLES: Mapping[str, str] = {
    "counts": "studies.gating.tables:counts",
    "identities": "studies.gating.tables:identities",
}
