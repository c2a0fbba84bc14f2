"""What the pipeline asks of a study.

A study need not have clouds, models or samples: only what it makes, and the figures and tables that show it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, ClassVar

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card
from cloudchamber.pipeline.drawing import Drawing
from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings

__all__ = ["Study"]


class Study(ABC):
    """Abstract study. What a study has none of, such as data sets or trainings, it need not say.

    Args:
        settings: of the study.
        analysis: what all studies share.

    Attributes:
        name: key in config.yaml, target of the workflow, folder of the results, command that holds the study's own.
        title: what the report calls it.
        question: what it asks, in one sentence.
        answer_function: entry of the function that answers the question from its files.
        picture: name of the figure that stands beside the answer.
        stages: command of the study's own -> entry, the function behind it and the code that its rule depends on.
        figure_functions, table_functions: name -> entry of the function that makes it from its files.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    question: ClassVar[str]
    answer_function: ClassVar[str]
    picture: ClassVar[str]
    stages: ClassVar[Mapping[str, str]] = {}
    figure_functions: ClassVar[Mapping[str, str]] = {}
    table_functions: ClassVar[Mapping[str, str]] = {}

    def __init__(self, settings: Any, analysis: SharedSettings) -> None:
        self.settings = settings
        self.analysis = analysis
        self.paths = Paths(analysis.results)
        self.folder = self.paths.study(self.name)

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        """Add the commands of ``stages``; a study without stages of its own has none."""
        assert not cls.stages, f"{cls.name}: no commands for {list(cls.stages)}"

    def datasets(self) -> Iterable[str]:
        """Return the data sets that the study is made from; nothing is made of others."""
        return ()

    def prepared_datasets(self) -> Iterable[str]:
        """Return those of the data sets whose ``preparation`` counts."""
        return ()

    def split_files(self) -> Iterable[tuple[str, str]]:
        """Return the files of indices that the settings name, each with what is split by it."""
        return ()

    def own_files(self) -> Iterable[tuple[str, str, str]]:
        """Return files of the user beside data sets and indices: each with what it is, and what is made of it."""
        return ()

    def plans(self) -> Iterable[object]:
        """Return what shared rules need to work for the study, such as a plan of generative models."""
        return ()

    def trainings(self) -> Iterable[Training]:
        """Return every training."""
        return ()

    def cards(self) -> Iterable[Card]:
        """Return the card of every trained model."""
        return ()

    def left_out(self) -> set[str]:
        """Return the names of the figures and tables of what the settings do not ask for."""
        return set()

    def drawn_datasets(self) -> tuple[str, ...]:
        """Return the data sets that have figures and tables of their own; none where they show all together."""
        return ()

    @abstractmethod
    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        """Return what one figure is drawn from, and no more; the data set is "" where a figure shows all."""

    @abstractmethod
    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        """Return what one table of the report is made from."""

    @abstractmethod
    def answer_files(self) -> Mapping[str, Any]:
        """Return what the answer is read from."""

    @abstractmethod
    def results(self) -> list[str]:
        """Return the files that the study makes beside figures, tables and cards."""

    def figures(self) -> list[Drawing]:
        """Return every figure that the settings ask for."""
        return self._drawings("figures", self.figure_functions, self.figure_files)

    def tables(self) -> list[Drawing]:
        """Return every table of the report that the settings ask for."""
        return self._drawings("tables", self.table_functions, self.table_files)

    def _drawings(
        self, kind: str, functions: Mapping[str, str], files: Callable[[str, str], Mapping[str, Any]]
    ) -> list[Drawing]:
        datasets, left_out = self.drawn_datasets(), self.left_out()
        folder = f"{self.folder}/{'{dataset}/' if datasets else ''}{kind}"
        return [
            Drawing(
                f"{self.name}/{name}", entry, folder, partial(files, name), self.title, self.paths.results, datasets
            )
            for name, entry in functions.items()
            if name not in left_out
        ]
