"""What the macaron study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.classification.card_files import card_files
from cloudchamber.classification.jobs import ClassificationJobs
from cloudchamber.pipeline.card import Card
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.macaron.commands import add
from cloudchamber.studies.macaron.drawings import FIGURES, TABLES
from cloudchamber.studies.macaron.plan import MacaronPlan
from cloudchamber.studies.macaron.settings import MacaronSettings

__all__ = ["Macaron"]


@final
class Macaron(Study):
    """Is attention a scheme for interacting particles, and is the Macaron block a better one (arXiv 1906.02762)?"""

    name: ClassVar[str] = "macaron"
    title: ClassVar[str] = "Macaron blocks"
    question: ClassVar[str] = (
        "Is a transformer with Macaron blocks better than a standard one, and does the order of a splitting say why?"
    )
    answer_function: ClassVar[str] = "studies.macaron.answer:answers"
    picture: ClassVar[str] = "convergence"
    stages: ClassVar[Mapping[str, str]] = {
        "split": "studies.macaron.split:measure_splitting",
        "refine": "studies.macaron.refine:refine",
        "evaluate": "studies.macaron.evaluate:evaluate",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: MacaronSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self.plan = MacaronPlan(self.name, settings, self.paths)
        self.splitting_settings = settings_argument(settings.splitting)
        self.measurement_settings = settings_argument(settings.measurement)

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def datasets(self) -> Iterable[str]:
        return [item.dataset for item in self.plan.settings.classes.values()]

    def split_files(self) -> Iterable[tuple[str, str]]:
        indices = self.plan.settings.sample.split.indices
        return () if indices is None else [(indices, self.plan.taggers.jets)]

    def plans(self) -> Iterable[object]:
        return [ClassificationJobs(self.plan.taggers)]

    def trainings(self) -> Iterable[Training]:
        return self.plan.taggers.trainings()

    def cards(self) -> Iterable[Card]:
        for name, variant in self.plan.variants.items():
            files = card_files(self.plan.taggers, name, self.analysis)
            if name != variant.model:
                files["title"] += f", learning rate {variant.learning_rate:g}"
            files |= {"arm": variant.model, "learning_rate": variant.learning_rate}
            yield Card("macaron/block", self.name, name, {"model": name}, files)

    def refinement_settings(self) -> str:
        """Return the settings of the refinement, for its rule."""
        assert self.plan.settings.refinement is not None, "nothing asks for the file without them"
        return settings_argument(self.plan.settings.refinement)

    def refined(self) -> str:
        """Return the networks that are evaluated at more steps, for the command of the rule."""
        return as_json(self.plan.refined())

    def refined_files(self) -> list[str]:
        """Return the same as files."""
        return paths_in(self.plan.refined(), self.paths.results)

    def evaluated(self) -> str:
        """Return what the metrics are computed from, for the command of the rule."""
        return as_json(self.plan.evaluated())

    def evaluated_files(self) -> list[str]:
        """Return the same as files."""
        return paths_in(self.plan.evaluated(), self.paths.results)

    def left_out(self) -> set[str]:
        return {"refinement"} if self.plan.settings.refinement is None else set()

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        titles = {"models": self.plan.titles(), "systems": self.plan.systems()}
        match figure:
            case "paths":
                return {"paths": self.plan.splitting["paths"], "systems": self.plan.systems()}
            case "convergence":
                return {**titles, **{name: self.plan.splitting[name] for name in ("errors", "orders")}}
            case "refinement":
                return {**titles, "refinement": self.plan.refinement, "metrics": self.plan.metrics}
        return self._of_tables()

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return self._of_tables()

    def answer_files(self) -> Mapping[str, Any]:
        return self._of_tables()

    def results(self) -> list[str]:
        return [self.plan.metrics, self.plan.differences]

    def _of_tables(self) -> dict[str, Any]:
        return {
            "models": self.plan.titles(),
            "systems": self.plan.systems(),
            "reference": self.plan.settings.comparison.reference,
            "metrics": self.plan.metrics,
            "differences": self.plan.differences,
        }
