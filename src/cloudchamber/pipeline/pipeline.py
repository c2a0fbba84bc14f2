"""One analysis, as its rules see it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, final

from cloudchamber.drawings import card_entry
from cloudchamber.pipeline.card import Cards
from cloudchamber.pipeline.clouds import Clouds
from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.pipeline.drawing import Drawing, caption_of
from cloudchamber.pipeline.json_arguments import as_json
from cloudchamber.pipeline.overview import Overview
from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.plans import Plans
from cloudchamber.pipeline.stages import SHARED_STAGES, code_of
from cloudchamber.pipeline.stamps import content_stamp, stamp
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.summary import Summary
from cloudchamber.pipeline.training import Trainings
from cloudchamber.settings.shared import SharedSettings

__all__ = ["Pipeline"]

Plan = TypeVar("Plan")


@final
class Pipeline:
    """Settings, studies, and the inputs of all jobs of one analysis.

    Args:
        settings: of the whole analysis.
        studies: in the order of the settings.
        code: folder that the package is in, as rules name its modules, with a slash at its end.
    """

    def __init__(self, settings: SharedSettings, studies: Sequence[Study], code: str = "src/") -> None:
        self.settings, self.seed, self._code = settings, settings.seed, code
        self.studies: Mapping[str, Study] = {study.name: study for study in studies}
        self.paths = Paths(settings.results)
        used = list(dict.fromkeys(name for study in studies for name in study.datasets()))
        splits = [item for study in studies for item in study.split_files()]
        own_files = [item for study in studies for item in study.own_files()]
        self.sources = DataSources(settings, used, splits, own_files)
        self.clouds = Clouds(settings, self.sources)
        self.trainings = Trainings((item for study in studies for item in study.trainings()), self.paths)
        self.cards = Cards((card for study in studies for card in study.cards()), settings.results)
        self.summary = Summary(settings, studies)
        self._overview = Overview(settings, self.sources)
        self._stages = {
            **SHARED_STAGES,
            **{f"{s.name} {name}": entry for s in studies for name, entry in s.stages.items()},
        }

    def code(self, stage: str) -> list[str]:
        """Return the source files that a stage depends on: of a command, of a study's own as "STUDY COMMAND"."""
        return self._from_here(code_of(self._stages[stage]))

    def code_stamp(self, code: Iterable[str]) -> str:
        """Return what changes with source files: a parameter of rules with thousands of jobs, in place of inputs."""
        return content_stamp(code)

    def simulation_stamp(self, code: Iterable[str]) -> Callable[[Any], str]:
        """Return what changes with source files, and with files that commands of the process of a job name."""
        of_code = self.code_stamp(code)
        return lambda wildcards: of_code + self.clouds.named_stamp(wildcards)

    def code_of_drawing(self, stage: str, drawing: Drawing) -> list[str]:
        """Return the source files that a figure or table depends on."""
        return self._from_here(code_of(self._stages[stage], drawing.entry))

    def code_of_summary(self) -> list[str]:
        """Return the source files that the summary depends on."""
        return self._from_here(self.summary.code)

    def code_of_card(self, wildcards: Any) -> list[str]:
        """Return the source files that a model card depends on: what is said of models of its kind among them."""
        return self._from_here(code_of(self._stages["model-card"], card_entry(self.cards.kind(wildcards))))

    def caption(self, stage: str) -> str:
        """Return the caption of what a stage writes for the report."""
        return caption_of(self._stages[stage], stage)

    def plans(self, kind: type[Plan]) -> Plans[Plan]:
        """Return the plans of one kind, of all studies that have one."""
        found: dict[str, Plan] = {}
        for study in self.studies.values():
            for plan in study.plans():
                if isinstance(plan, kind):
                    assert study.name not in found, f"{study.name}: two plans of one kind"
                    found[study.name] = plan
        return Plans(found)

    def figures(self) -> list[Drawing]:
        """Return every figure of the report: those of the studies, and those of the data."""
        return [*(item for study in self.studies.values() for item in study.figures()), *self._overview.figures()]

    def tables(self) -> list[Drawing]:
        """Return every table of the report."""
        return [*(item for study in self.studies.values() for item in study.tables()), *self._overview.tables()]

    def results(self, study: Study) -> list[str]:
        """Return everything that a study makes."""
        cards = [f"{self.paths.results}/{card.name}.md" for card in study.cards()]
        return [*study.results(), *_pictures(study.figures()), *_pages(study.tables()), *cards]

    def all_results(self) -> list[str]:
        """Return everything that the analysis makes."""
        of_studies = [path for study in self.studies.values() for path in self.results(study)]
        return [
            *of_studies,
            *_pictures(self._overview.figures()),
            *_pages(self._overview.tables()),
            # Studies that simulate without a data set have no files to list.
            *([self.paths.data_table] if self.sources.all_files() else []),
            self.summary.page,
        ]

    def all_figures(self) -> list[str]:
        """Return the PNG of every figure; each has a PDF beside it."""
        return _pictures(self.figures())

    def data_inputs(self, wildcards: Any) -> list[str]:
        """Return the raw and external files of the analysis."""
        return [entry["file"] for entry in self.sources.all_files()]

    def data_arguments(self, wildcards: Any) -> str:
        return as_json({"files": self.sources.all_files(), "made": self.sources.made()})

    def data_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces a file that is their own."""
        return stamp(self.sources.all_own_files())

    def any_of(self, names: Iterable[str]) -> str:
        """Return the regular expression of a wildcard that is one of ``names``."""
        return "|".join(names) or "(?!)"

    def _from_here(self, code: Iterable[str]) -> list[str]:
        return [f"{self._code}{path.removeprefix('src/')}" for path in code]


def _pictures(figures: Iterable[Drawing]) -> list[str]:
    return [path for figure in figures for path in figure.paths("png")]


def _pages(tables: Iterable[Drawing]) -> list[str]:
    return [path for table in tables for path in table.paths("html")]
