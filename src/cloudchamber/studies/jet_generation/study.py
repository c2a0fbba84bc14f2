"""What the jet-generation study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.generative.jobs import GenerationJobs
from cloudchamber.generative.plan import GenerationPlan
from cloudchamber.pipeline.card import Card
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.jet_generation.cards import cards
from cloudchamber.studies.jet_generation.drawing_files import DrawingFiles
from cloudchamber.studies.jet_generation.drawings import FIGURES, TABLES
from cloudchamber.studies.jet_generation.settings import JetGenerationSettings

__all__ = ["JetGeneration"]


@final
class JetGeneration(Study):
    """Do generated jets look like simulated ones, and at what cost (arXiv 2310.00049)?"""

    name: ClassVar[str] = "jet_generation"
    title: ClassVar[str] = "Jet generation"
    question: ClassVar[str] = "Do generated jets look like simulated ones, and at what cost?"
    answer_function: ClassVar[str] = "studies.jet_generation.answer:answers"
    picture: ClassVar[str] = "substructure"
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: JetGenerationSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self._plan = GenerationPlan(self.name, settings, self.paths)
        self._files = DrawingFiles(self._plan, analysis)

    def datasets(self) -> Iterable[str]:
        return self._plan.settings.datasets

    def prepared_datasets(self) -> Iterable[str]:
        return self.datasets()

    def split_files(self) -> Iterable[tuple[str, str]]:
        for name in self.datasets():
            indices = self.analysis.datasets[name].preparation.split.indices
            if indices is not None:
                yield indices, self.paths.prepared(name)

    def plans(self) -> Iterable[object]:
        return [GenerationJobs(self._plan)]

    def trainings(self) -> Iterable[Training]:
        return self._plan.trainings()

    def cards(self) -> Iterable[Card]:
        return cards(self._plan, self.analysis)

    def drawn_datasets(self) -> tuple[str, ...]:
        return tuple(self._plan.settings.datasets)

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        return self._files.of_figure(figure, dataset)

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return self._files.of_table(table, dataset)

    def answer_files(self) -> Mapping[str, Any]:
        return {"datasets": [self._files.of_metrics(name) for name in self._plan.settings.datasets]}

    def results(self) -> list[str]:
        return [self._plan.metrics]

    def left_out(self) -> set[str]:
        settings = self._plan.settings
        left_out: set[str] = set()
        if settings.solver_scan is None:
            left_out |= {"solver_scan", "ode_sde"}
        elif not settings.solver_scan.compares_ode_and_sde:
            left_out |= {"ode_sde"}
        scanned = settings.solver_scan.models if settings.solver_scan else ()
        flow_maps = self._plan.flow_maps()
        if not flow_maps or any({name, model.teacher} - set(scanned) for name, model in flow_maps.items()):
            left_out |= {"few_steps"}
        if settings.sampling_time is None:
            left_out |= {"sampling_time"}
        if not self._plan.has_jet_flow:
            left_out |= {"jet_level"}
        if not self._plan.twins():
            left_out |= {"requested", "conditioning"}
        if not all(self.analysis.datasets[name].ingestion for name in settings.datasets):
            # What was lost before the files were written is not known.
            left_out |= {"truncation"}
        return left_out
