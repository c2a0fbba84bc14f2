"""The results of a finished analysis: which files it shows, and that none is missing, damaged or stale."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from cloudchamber.errors import InputError
from cloudchamber.pipeline.drawing import Drawing
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.provenance.verification import findings
from cloudchamber.publishing.settings_of_files import of_other_settings
from cloudchamber.records.record import read_record

__all__ = ["PublishedFile", "Results", "settings_of_results"]

_SETTINGS = "tables/settings.csv"
_RAN = "let the analysis run to its end first: snakemake --cores all"


@final
@dataclass(frozen=True)
class PublishedFile:
    """A file of the results that is published.

    Attributes:
        path: relative to the results.
        title: what it is, in some words.
        caption: what the report says of it; empty for most.
        study: of which it is, None for the whole analysis.
    """

    path: Path
    title: str
    caption: str = ""
    study: str | None = None


def settings_of_results(folder: Path) -> Mapping[str, Any]:
    """Return the settings of the analysis that made a folder of results, as the record of their table keeps them.

    Raises:
        InputError: there is no such record, or it cannot be read.
    """
    place = folder / _SETTINGS
    record = read_record(place)
    files = record["arguments"].get("files") if record else None
    settings = files.get("settings") if isinstance(files, Mapping) else None
    if not isinstance(settings, Mapping):
        raise InputError(f"{place}: no record of the settings, so that nobody knows what belongs to {folder}; {_RAN}")
    return settings


@final
class Results:
    """A folder of results, with the plan of what belongs into it.

    Args:
        folder: where the results are now.
        pipeline: plan of the analysis that made them.
    """

    def __init__(self, folder: Path, pipeline: Pipeline) -> None:
        self.folder, self.pipeline = folder, pipeline
        self.studies = pipeline.studies

    @property
    def scale(self) -> str:
        return self.pipeline.settings.scale

    @property
    def seed(self) -> int:
        return self.pipeline.settings.seed

    @property
    def summary(self) -> Path:
        """The answers of the studies, as a table."""
        return self.folder / self._relative(self.pipeline.summary.table)

    def metrics(self, study: str) -> Path:
        """Return the table of metrics of a study."""
        return self.folder / study / "metrics.csv"

    def refuse_unfinished(self) -> None:
        """Refuse results that lack a file, or of which one is damaged, stale, of other settings or of unknown origin.

        Raises:
            InputError: one line that names the first file and counts the others.
        """
        wanted = {self.folder / self._relative(path) for path in self.pipeline.all_results()}
        shown = {self.folder / file.path for file in self.files()}
        missing = sorted(str(path) for path in wanted | shown if not path.is_file())
        if missing:
            raise InputError(f"{missing[0]}: not there{_others(missing)}: incomplete results; {_RAN}")
        _, unrecorded, found = findings(self.folder)
        if found:
            first = f"{found[0].file}: {found[0].fault}: {found[0].reason}"
            raise InputError(f"{first}{_others(found)}; cloudchamber verify {self.folder} names them")
        others = sorted(of_other_settings(self.folder, self.pipeline))
        if others:
            raise InputError(
                f"{others[0]}: made with other settings than {self.folder / _SETTINGS} has{_others(others)}; {_RAN}"
            )
        unknown = sorted({str(path) for path in shown}.intersection(unrecorded))
        if unknown:
            raise InputError(f"{unknown[0]}: no record of what made it{_others(unknown)}; make it again by a command")

    def files(self) -> list[PublishedFile]:
        """Return the files to publish: metrics, figures, tables, model cards, the summary and the table of data."""
        return [*self._of_analysis(), *(file for name in self.studies for file in self._of_study(name))]

    def _of_analysis(self) -> Iterator[PublishedFile]:
        page = self._relative(self.pipeline.summary.page)
        yield PublishedFile(page, "summary", self.pipeline.caption("summarise"))
        yield PublishedFile(page.with_suffix(".csv"), "summary as a table", self.pipeline.caption("summarise"))
        if self.pipeline.sources.all_files():
            table = self._relative(self.pipeline.paths.data_table)
            yield PublishedFile(table, "raw and external files", self.pipeline.caption("data-table"))
        drawn = {drawing.key for study in self.studies.values() for drawing in (*study.figures(), *study.tables())}
        yield from self._drawn(item for item in self.pipeline.figures() if item.key not in drawn)
        yield from self._drawn((item for item in self.pipeline.tables() if item.key not in drawn), table=True)

    def _of_study(self, name: str) -> Iterator[PublishedFile]:
        study = self.studies[name]
        yield PublishedFile(Path(name) / "metrics.csv", f"{study.title}: all metrics", study=name)
        yield from self._drawn(study.figures(), name)
        yield from self._drawn(study.tables(), name, table=True)
        for card in study.cards():
            yield PublishedFile(Path(f"{card.name}.md"), f"model card {Path(card.name).name}", study=name)

    def _drawn(
        self, drawings: Iterable[Drawing], study: str | None = None, table: bool = False
    ) -> Iterator[PublishedFile]:
        for drawing in drawings:
            title = f"{'table' if table else 'figure'} {drawing.name.replace('_', ' ')}"
            for suffix in ("csv", "html", "tex") if table else ("png", "pdf"):
                for dataset, path in zip(drawing.datasets or ("",), drawing.paths(suffix), strict=True):
                    of_dataset = f"{title} of {dataset}" if dataset else title
                    yield PublishedFile(self._relative(path), of_dataset, drawing.caption, study)

    def _relative(self, path: str) -> Path:
        return Path(path).relative_to(self.pipeline.paths.results)


def _others(found: Iterable[object]) -> str:
    number = len(list(found)) - 1
    return f" (and {number} more)" if number else ""
