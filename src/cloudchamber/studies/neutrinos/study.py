"""What the neutrino study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.neutrinos.commands import add
from cloudchamber.studies.neutrinos.drawings import FIGURES, TABLES
from cloudchamber.studies.neutrinos.plan import NeutrinosPlan
from cloudchamber.studies.neutrinos.settings import NeutrinosSettings

__all__ = ["Neutrinos"]


@final
class Neutrinos(Study):
    """What does joint context add to the names of interactions and prongs (after arXiv 2303.06201)?"""

    name: ClassVar[str] = "neutrinos"
    title: ClassVar[str] = "Neutrinos"
    question: ClassVar[str] = (
        "Which neutrino interacted, which particle made each prong, and does it help to look at all of them together?"
    )
    answer_function: ClassVar[str] = "studies.neutrinos.answer:answers"
    picture: ClassVar[str] = "accuracy"
    stages: ClassVar[Mapping[str, str]] = {
        "simulate": "studies.neutrinos.simulate:simulate",
        "ingest": "studies.neutrinos.ingest:ingest",
        "train": "studies.neutrinos.train:train_classifier",
        "classify": "studies.neutrinos.classify:classify_events",
        "evaluate": "studies.neutrinos.evaluate:evaluate_classifiers",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: NeutrinosSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self.plan = NeutrinosPlan(self.name, settings, self.paths)
        self.simulation_settings = settings_argument(settings.simulation)
        self.detector_settings = settings_argument(settings.simulation.detector)
        self.map_settings = settings_argument(settings.maps)
        self.evaluation_settings = settings_argument(settings.evaluation)
        self.display_events = settings.evaluation.display_events
        self.threads = settings.threads

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def trainings(self) -> Iterable[Training]:
        return self.plan.trainings()

    # What the rules ask for.

    def classified(self, wildcards: Any) -> str:
        """Return the networks that classify the test events, as JSON."""
        return as_json(self.plan.classified())

    def classified_files(self, wildcards: Any) -> list[str]:
        return paths_in(self.plan.classified(), self.paths.results)

    def judged(self, wildcards: Any) -> str:
        return as_json(self.plan.judged())

    # What is shown.

    def left_out(self) -> set[str]:
        left_out = set()
        if self.plan.settings.reference is None:
            left_out |= {"context", "differences"}
        if not self.display_events:
            left_out |= {"displays"}
        return left_out

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = self.plan.titles()
        match figure:
            case "displays":
                return {**head, "events": self.plan.events, "scores": self.plan.scores}
            case "baseline":
                return {**head, "events": self.plan.events}
            case "confusion":
                return {**head, "confusion": self.plan.tables["confusion"]}
            case "roc" | "calibration":
                return {**head, "curves": self.plan.tables["curves"]}
            case "context":
                return {**head, "differences": self.plan.tables["differences"]}
            case "histories":
                return {**head, "histories": self.plan.histories()}
        return {**head, "metrics": self.plan.tables["metrics"]}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        name = "differences" if table == "differences" else "metrics"
        return {**self.plan.titles(), name: self.plan.tables[name]}

    def answer_files(self) -> Mapping[str, Any]:
        tables = {name: self.plan.tables[name] for name in ("metrics", "differences")}
        return {**self.plan.titles(), **tables, "reference": self.plan.settings.reference}

    def results(self) -> list[str]:
        return [*self.plan.tables.values(), self.plan.events]

    def cards(self) -> Iterable[Card]:
        """Return the card of each model, all its seeds together; the ceiling sees what no detector does."""
        beam = self.plan.settings.simulation.beam
        energies = " and ".join(f"{energy:g}" for energy in beam.energies)
        for name, model in self.plan.settings.models.items():
            folders = {
                entry["seed"]: f"{self.paths.results}/{entry['folder']}"
                for entry in self.plan.trained()
                if entry["name"] == name
            }
            files = {
                "study": self.name,
                "dataset": "all",
                "dataset_title": self.plan.settings.title,
                "origin": (
                    f"own simulation: Pythia 8, deep inelastic scattering of neutrinos of {energies} GeV on free "
                    f"protons, {beam.events:,} events, toy detector"
                ),
                "simulated": True,
                "name": name,
                "title": model.title,
                "events": self.plan.events,
                "metrics": self.plan.tables["metrics"],
                "trainings": trainings_of_card(folders),
            }
            yield Card("neutrinos/classifier", self.name, name, {"model": name}, files)
