"""What the tagging study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.classification.card_files import card_files
from cloudchamber.classification.jobs import ClassificationJobs
from cloudchamber.classification.plan import ALL_JETS, ClassificationPlan
from cloudchamber.pipeline.card import Card
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.tagging.commands import add
from cloudchamber.studies.tagging.drawings import FIGURES, TABLES
from cloudchamber.studies.tagging.settings import TaggingSettings

__all__ = ["Tagging"]


@final
class Tagging(Study):
    """How many prongs has a jet, and does attention beat deep sets and high-level features (arXiv 2202.00723)?"""

    name: ClassVar[str] = "tagging"
    title: ClassVar[str] = "Tagging"
    question: ClassVar[str] = (
        "How many hard prongs has a jet, and does attention beat deep sets and high-level features?"
    )
    answer_function: ClassVar[str] = "studies.tagging.answer:answers"
    picture: ClassVar[str] = "accuracy"
    stages: ClassVar[Mapping[str, str]] = {"relevance": "studies.tagging.relevance:tower_relevance"}
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: TaggingSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self._plan = ClassificationPlan(self.name, settings, self.paths)
        self.jets = self._plan.jets
        self.relevance = f"{self.folder}/relevance.h5"

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def datasets(self) -> Iterable[str]:
        return [item.dataset for item in self._plan.settings.classes.values()]

    def split_files(self) -> Iterable[tuple[str, str]]:
        indices = self._plan.settings.sample.split.indices
        return () if indices is None else [(indices, self._plan.jets)]

    def plans(self) -> Iterable[object]:
        return [ClassificationJobs(self._plan)]

    def trainings(self) -> Iterable[Training]:
        return self._plan.trainings()

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = {"title": self._plan.settings.title}
        match figure:
            case "jets" | "images":
                return {**head, "jets": self._plan.jets}
            case "histories":
                return {**head, "histories": [{**entry, "path": self._history(entry)} for entry in self._models()]}
            case "relevance":
                return {**head, "relevance": self.relevance}
        return self._of_tables()

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return self._of_tables()

    def answer_files(self) -> Mapping[str, Any]:
        models = self._plan.settings.models
        return {
            "study": self.name,
            "dataset": "all",
            "flat": self._plan.settings.sample.flat,
            "models": [{**entry, "kind": models[entry["name"]].network.kind} for entry in self._models()],
            **{name: self._plan.tables[name] for name in ("metrics", "significance")},
        }

    def results(self) -> list[str]:
        return [*self._plan.tables.values(), *self._plan.exports()]

    def cards(self) -> Iterable[Card]:
        for name in self._plan.settings.models:
            yield Card("tagger", self.name, name, {"model": name}, card_files(self._plan, name, self.analysis))

    def attentive_files(self, wildcards: Any) -> list[str]:
        """Return weights and description of the tagger whose view of jets is drawn."""
        name = self._plan.attentive()
        assert name is not None, "the figure is left out without such a tagger"
        return list(self._plan.first_artifact(name).values())

    def left_out(self) -> set[str]:
        settings = self._plan.settings
        left_out = set()
        if settings.learning_curve is None:
            left_out |= {"learning_curve"}
        if settings.cost is None:
            left_out |= {"cost"}
        if self._plan.attentive() is None:
            left_out |= {"relevance"}
        if len(settings.models) < 2:
            left_out |= {"significance"}
        return left_out

    def _of_tables(self) -> dict[str, Any]:
        settings = self._plan.settings
        classes = [{"name": name, "title": item.title} for name, item in settings.classes.items()]
        head = {"study": self.name, "dataset": "all", "title": settings.title, "flat": settings.sample.flat}
        return {**head, "classes": classes, "models": self._models(), **self._plan.tables}

    def _models(self) -> list[dict[str, Any]]:
        settings = self._plan.settings
        return [
            {"name": name, "title": model.title, "seed": seed}
            for name, model in settings.models.items()
            for seed in settings.seeds_of(name)
        ]

    def _history(self, entry: dict[str, Any]) -> str:
        return f"{self._plan.training_folder(entry['name'], ALL_JETS, entry['seed'])}/history.csv"
