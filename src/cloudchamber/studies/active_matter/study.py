"""What the study of active matter asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.pipeline.json_arguments import as_json, settings_argument
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.active_matter.commands import add
from cloudchamber.studies.active_matter.drawings import FIGURES, TABLES
from cloudchamber.studies.active_matter.plan import ActiveMatterPlan
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.system_settings import DisksSettings

__all__ = ["ActiveMatter"]


@final
class ActiveMatter(Study):
    """How far from equilibrium is matter that propels itself, and where (arXiv 2309.12991)?"""

    name: ClassVar[str] = "active_matter"
    title: ClassVar[str] = "Active matter"
    question: ClassVar[str] = (
        "Does a learned score give the entropy production of particles that propel themselves, and for more of them "
        "than it was trained on?"
    )
    answer_function: ClassVar[str] = "studies.active_matter.answer:answers"
    picture: ClassVar[str] = "production"
    stages: ClassVar[Mapping[str, str]] = {
        "simulate": "studies.active_matter.simulate:simulate",
        "train": "studies.active_matter.train:train_score",
        "measure": "studies.active_matter.measure:measure",
        "evaluate": "studies.active_matter.evaluate:evaluate",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: ActiveMatterSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self.plan = ActiveMatterPlan(settings, self.paths.results, self.folder)
        self.settings_argument = settings_argument(settings)

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def trainings(self) -> Iterable[Training]:
        for name, model in self.plan.settings.models.items():
            for seed in self.plan.settings.seeds_of(name):
                yield Training(
                    command="active_matter train",
                    folder=self.plan.training_below_results(name, seed),
                    title=f"the score {name}",
                    source=self.plan.snapshots(model.ensemble),
                    settings=model.score,
                    seed=seed,
                    threads=self.plan.settings.threads,
                    options="--drives " + " ".join(f"{drive:g}" for drive in self.plan.drives(name)),
                )

    def ensemble_settings(self, wildcards: Any) -> str:
        """Return the settings of a simulation, for its rule."""
        return settings_argument(self.plan.settings.ensembles[wildcards.ensemble])

    def measurement_settings(self) -> str:
        """Return how scores are measured, for the rule."""
        return settings_argument(self.plan.settings.measurement)

    def measured(self, wildcards: Any) -> str:
        """Return the files that a model is measured from, for the command of its rule."""
        return as_json(self.plan.measured(wildcards.model))

    def measured_files(self, wildcards: Any) -> list[str]:
        """Return the same as a list."""
        files = self.plan.measured(wildcards.model)
        trained = [item[key] for item in files["trainings"] for key in ("weights", "description")]
        return [*trained, *(item["snapshots"] for item in files["ensembles"])]

    def gathered(self) -> str:
        """Return the files that the tables are gathered from, for the command of the rule."""
        return as_json(self.plan.gathered())

    def gathered_files(self) -> list[str]:
        """Return the same as a list."""
        files = self.plan.gathered()
        return [item["snapshots"] for item in files["ensembles"]] + [item["quantities"] for item in files["models"]]

    def left_out(self) -> set[str]:
        settings = self.plan.settings
        absent = set()
        if settings.denoising is None:
            absent.add("denoising")
        if not any(model.transfers for model in settings.models.values()):
            absent.add("transfer")
        if not self.plan.fields_of("planar"):
            absent |= {"flow", "score_error"}
        if not self.plan.fields_of("boxed"):
            absent.add("maps")
        systems = [item.system for item in settings.ensembles.values()]
        if not any(isinstance(system, DisksSettings) and system.stiffness == 0 for system in systems):
            absent.add("phases")
        if not any(len(self.plan.drives(name)) > 1 for name in settings.models):
            absent.add("drives")
        return absent

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        titles = self.plan.titles()
        match figure:
            case "denoising":
                return {**titles, "denoising": self.plan.denoising}
            case "phases":
                return {**titles, "phases": self.plan.phases}
            case "flow" | "score_error":
                return {"fields": self.plan.fields_of("planar"), **titles}
            case "parity":
                return {"fields": self.plan.fields_of("all"), **titles}
            case "maps":
                return {"fields": self.plan.fields_of("boxed"), **titles}
        return {**titles, "metrics": self.plan.metrics}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return self.answer_files()

    def answer_files(self) -> Mapping[str, Any]:
        return {**self.plan.titles(), "metrics": self.plan.metrics}

    def results(self) -> list[str]:
        return [self.plan.metrics, self.plan.denoising, self.plan.phases]

    def cards(self) -> Iterable[Card]:
        ensembles = self.plan.settings.ensembles
        for name, model in self.plan.settings.models.items():
            folders = {seed: self.plan.training(name, seed) for seed in self.plan.settings.seeds_of(name)}
            files = {
                "study": self.name,
                "dataset": model.ensemble,
                "dataset_title": ensembles[model.ensemble].title,
                "origin": "own simulation of the equations of motion, from the settings of the study",
                "simulated": True,
                "name": name,
                "title": model.title,
                "snapshots": self.plan.snapshots(model.ensemble),
                "ensembles": [
                    {"name": ensemble, "title": ensembles[ensemble].title}
                    for ensemble in (model.ensemble, *model.transfers)
                ],
                "metrics": self.plan.metrics,
                "trainings": trainings_of_card(folders),
            }
            yield Card("active_matter/score", self.name, name, {"model": name}, files)
