"""Figures and tables of the tagging study: their files, their inputs, how the report labels them."""

from collections.abc import Callable
from typing import Any, final

from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.pipeline.layout import Layout
from cloudchamber.pipeline.tagging import ALL_JETS, TaggingStudy

__all__ = ["TAGGING_FIGURES", "TAGGING_TABLES", "TaggingDrawings"]

TAGGING_FIGURES = (
    "tagging_jets",
    "tagging_images",
    "tagging_accuracy",
    "tagging_roc",
    "tagging_confusion",
    "tagging_calibration",
    "tagging_kinematics",
    "tagging_learning_curve",
    "tagging_cost",
    "tagging_histories",
    "tagging_relevance",
)
TAGGING_TABLES = ("tagging_models", "tagging_significance")
_OF_JETS = ("tagging_jets", "tagging_images")


@final
class TaggingDrawings:
    """The figures and tables of the tagging study, for the same rules as those of :class:`Drawings`."""

    def __init__(self, layout: Layout, study: TaggingStudy) -> None:
        self._layout, self._study = layout, study

    def figures(self) -> list[tuple[str, str]]:
        """Return (category, name) of every figure."""
        return [("Tagging", figure) for figure in TAGGING_FIGURES if figure not in self._left_out()]

    def tables(self) -> list[str]:
        return [table for table in TAGGING_TABLES if table not in self._left_out()]

    def _left_out(self) -> set[str]:
        """Return the figures and tables of what the settings do not ask for."""
        if not self._study.exists:
            return {*TAGGING_FIGURES, *TAGGING_TABLES}
        left_out = set()
        if self._study.settings.learning_curve is None:
            left_out |= {"tagging_learning_curve"}
        if self._study.settings.cost is None:
            left_out |= {"tagging_cost"}
        if self._study.attentive() is None:
            left_out |= {"tagging_relevance"}
        if len(self._study.models()) < 2:
            left_out |= {"tagging_significance"}
        return left_out

    def figure(self, figure: str, suffix: str) -> str:
        return f"{self._study.folder}/figures/{figure}.{suffix}"

    def table_category(self, table: str) -> str:
        """Return where the report shows a table."""
        return "Tagging"

    def table(self, table: str, suffix: str) -> str:
        return f"{self._study.folder}/tables/{table}.{suffix}"

    def drawing_log(self, name: str, suffix: str) -> str:
        return f"{self._layout.logs}/draw/{name}.{suffix}"

    def labels(self, name: str) -> dict[str, str]:
        """Return how the report labels a figure or table."""
        return {"shows": name.removeprefix("tagging_").replace("_", " ")}

    def figure_inputs(self, figure: str) -> Callable[[Any], list[str]]:
        """Return the input function of a figure's rule."""
        return lambda wildcards: paths_in(self._figure_files(figure))

    def figure_arguments(self, figure: str) -> Callable[[Any], str]:
        """Return the params function of a figure's rule."""
        return lambda wildcards: as_json(self._figure_files(figure))

    def table_inputs(self, table: str) -> Callable[[Any], list[str]]:
        """Return the input function of a table's rule."""
        return lambda wildcards: paths_in(self._files())

    def table_arguments(self, table: str) -> Callable[[Any], str]:
        """Return the params function of a table's rule."""
        return lambda wildcards: as_json(self._files())

    def all_figures(self) -> list[str]:
        """Return the PNG of every figure; each has a PDF beside it."""
        return [self.figure(figure, "png") for _, figure in self.figures()]

    def all_tables(self) -> list[str]:
        return [self.table(table, "html") for table in self.tables()]

    def _figure_files(self, figure: str) -> dict[str, Any]:
        """Return what one figure is drawn from, and no more."""
        head = {"title": self._study.settings.title}
        if figure in _OF_JETS:
            return {**head, "jets": self._study.jets}
        if figure == "tagging_histories":
            return {**head, "histories": [{**entry, "path": self._history(entry)} for entry in self._models()]}
        if figure == "tagging_relevance":
            return {**head, "relevance": self._study.relevance}
        return self._files()

    def _files(self) -> dict[str, Any]:
        settings = self._study.settings
        classes = [{"name": name, "title": item.title} for name, item in settings.classes.items()]
        head = {"study": "tagging", "dataset": "all", "title": settings.title}
        return {**head, "classes": classes, "models": self._models(), **self._study.tables}

    def _models(self) -> list[dict[str, Any]]:
        settings = self._study.settings
        return [
            {"name": name, "title": model.title, "seed": seed}
            for name, model in settings.models.items()
            for seed in settings.seeds_of(name)
        ]

    def _history(self, entry: dict[str, Any]) -> str:
        return f"{self._study.training(entry['name'], ALL_JETS, entry['seed'])}/history.csv"
