"""The summary that opens the report: what it is made from."""

from collections.abc import Sequence
from typing import Any, final

from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.stages import SHARED_STAGES, code_of
from cloudchamber.pipeline.study import Study
from cloudchamber.settings.shared import SharedSettings

__all__ = ["Summary"]


@final
class Summary:
    """The questions of the studies, and the files from which they are answered.

    Methods that take ``wildcards`` are functions of Snakemake.

    Args:
        settings: of the whole analysis.
        studies: in the order of the settings.
    """

    def __init__(self, settings: SharedSettings, studies: Sequence[Study]) -> None:
        self._settings, self._studies = settings, studies
        self._paths = Paths(settings.results)

    @property
    def page(self) -> str:
        """The page; what it says lies beside it as a table."""
        return f"{self._paths.results}/summary.html"

    @property
    def table(self) -> str:
        return f"{self._paths.results}/summary.csv"

    @property
    def studies(self) -> str:
        """Names of the studies, for the command line."""
        return " ".join(study.name for study in self._studies)

    @property
    def code(self) -> list[str]:
        """The source files that the summary depends on: of the page, and of each answer."""
        return code_of(SHARED_STAGES["summarise"], *(study.answer_function for study in self._studies))

    def inputs(self, wildcards: Any) -> list[str]:
        return sorted(set(paths_in(self._files(), self._paths.results)))

    def arguments(self, wildcards: Any) -> str:
        return as_json(self._files())

    def _files(self) -> dict[str, Any]:
        studies = [
            {
                "name": study.name,
                "title": study.title,
                "question": study.question,
                "files": study.answer_files(),
                "picture": (picture := _picture(study)),
                "folder": picture.rpartition("/")[0],
            }
            for study in self._studies
        ]
        return {"scale": self._settings.scale, "seed": self._settings.seed, "studies": studies}


def _picture(study: Study) -> str:
    """Return the figure beside the answer: that of the first data set."""
    (figure,) = (figure for figure in study.figures() if figure.name == study.picture)
    return figure.paths("png")[0]
