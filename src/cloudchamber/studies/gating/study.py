"""What the gating study asks of the pipeline."""

from collections.abc import Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.json_arguments import settings_argument
from cloudchamber.pipeline.study import Study
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.gating.commands import add
from cloudchamber.studies.gating.drawings import FIGURES, TABLES
from cloudchamber.studies.gating.settings import GatingSettings

__all__ = ["Gating"]


@final
class Gating(Study):
    """How much does gating add to what gates can compute (arXiv 2202.08371)?"""

    name: ClassVar[str] = "gating"
    title: ClassVar[str] = "Gating"
    question: ClassVar[str] = "How much does gating add to what gates can compute?"
    answer_function: ClassVar[str] = "studies.gating.answer:answers"
    picture: ClassVar[str] = "capacity"
    stages: ClassVar[Mapping[str, str]] = {
        "count": "studies.gating.count:count_functions",
        "check-identities": "studies.gating.check_identities:check_identities",
        "count-five-inputs": "studies.gating.count:count_five_inputs",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: GatingSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self.settings_argument = settings_argument(settings)
        self.counts = f"{self.folder}/counts.csv"
        self.metrics = f"{self.folder}/metrics.csv"
        self.identities = f"{self.folder}/identities.csv"
        self.five_inputs = f"{self.folder}/five_inputs.csv"

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        return {"counts": self.counts}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        return {table: self.counts if table == "counts" else self.identities}

    def answer_files(self) -> Mapping[str, Any]:
        return {"counts": self.counts, "identities": self.identities}

    def results(self) -> list[str]:
        return [self.metrics]
