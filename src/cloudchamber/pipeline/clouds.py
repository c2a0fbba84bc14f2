"""What the rules of raw files and of clouds ask for: sources, settings and inputs of their jobs."""

from pathlib import Path
from typing import Any, TypeVar, final

from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.pipeline.json_arguments import settings_argument
from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.settings.data import DatasetSettings, JetNetSource, LabelledSource
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.settings.shared import SharedSettings

__all__ = ["Clouds"]

Source = TypeVar("Source", JetNetSource, LabelledSource)


@final
class Clouds:
    """Settings and inputs of the jobs that make clouds.

    Methods that take ``wildcards`` are input and params functions of Snakemake.
    """

    def __init__(self, settings: SharedSettings, sources: DataSources) -> None:
        self._settings, self._sources = settings, sources
        self._paths = Paths(settings.results)
        # Ten thousand jobs may ask for the same.
        self._processes: dict[str, str] = {}
        self._named: dict[str, str] = {}

    def process(self, wildcards: Any) -> str:
        """Return the settings of a process."""
        name = wildcards.process
        if name not in self._processes:
            self._processes[name] = settings_argument(self._settings.processes[name])
        return self._processes[name]

    def named_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces a file that a command of a process names, empty where none does:
        masses and decays (SLHA:file), say."""
        name = wildcards.process
        if name not in self._named:
            words = " ".join(self._settings.processes[name].commands).replace("=", " ").split()
            files = [word for word in words if Path(word).is_file()]
            self._named[name] = stamp(files) if files else ""
        return self._named[name]

    def files(self, wildcards: Any) -> list[str]:
        """Return the raw files of a data set: simulated ones, or the user's own."""
        return self._sources.files(wildcards.dataset)

    def stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces a raw file."""
        return stamp(self._sources.own_files(wildcards.dataset))

    def ingested(self) -> list[str]:
        """Return the data sets that come as files of events and are read by one job."""
        grouped = self.grouped()
        datasets = self._settings.datasets.items()
        return [name for name, dataset in datasets if dataset.ingestion is not None and name not in grouped]

    def grouped(self) -> list[str]:
        """Return the data sets that come as files of events and are read by several jobs."""
        return self._sources.grouped()

    def parts(self, wildcards: Any) -> list[str]:
        """Return the clouds of each group of files of a data set."""
        return self._paths.groups(wildcards.dataset, len(self._sources.groups(wildcards.dataset)))

    def group_files(self, wildcards: Any) -> list[str]:
        """Return the raw files of a group, whose wildcard is as in ``2-of-8``."""
        number, _, of = wildcards.group.partition("-of-")
        groups = self._sources.groups(wildcards.dataset)
        return groups[int(number) - 1] if int(of) == len(groups) and 0 < int(number) <= len(groups) else []

    def group_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces a raw file of a group."""
        return stamp(self.group_files(wildcards) if self._sources.own_files(wildcards.dataset) else [])

    def ingestion(self, wildcards: Any) -> str:
        """Return the settings of an ingestion."""
        ingestion = self._dataset(wildcards).ingestion
        assert ingestion is not None, "the rule is of the ingested data sets"
        return settings_argument(ingestion)

    def jetnet(self) -> list[str]:
        """Return the data sets that come as JetNet files."""
        return list(self._of_kind(JetNetSource))

    def jetnet_options(self, wildcards: Any) -> str:
        limit = self._of_kind(JetNetSource)[wildcards.dataset].max_particles
        return "" if limit is None else f" --max-particles {limit}"

    def downloads(self) -> list[str]:
        """Return the names of the external files that the data sets ask for."""
        sources = self._of_kind(JetNetSource).values()
        return sorted({source.download for source in sources if source.download is not None})

    def labelled(self) -> list[str]:
        """Return the data sets that come as labelled jets of a public layout."""
        return list(self._of_kind(LabelledSource))

    def labelled_layout(self, wildcards: Any) -> str:
        return self._of_kind(LabelledSource)[wildcards.dataset].layout

    def labelled_jets(self, wildcards: Any) -> str:
        """Return the settings of labelled jets."""
        return settings_argument(self._of_kind(LabelledSource)[wildcards.dataset].jets)

    def preparation(self, wildcards: Any) -> str:
        """Return the settings of a preparation."""
        return settings_argument(self._dataset(wildcards).preparation)

    def split_files(self, wildcards: Any) -> list[str]:
        """Return the file of indices of a data set's split, where the settings name one."""
        indices = self._dataset(wildcards).preparation.split.indices
        return [] if indices is None else [indices]

    def split_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the file of indices."""
        return stamp(self.split_files(wildcards))

    def response_files(self, wildcards: Any) -> list[str]:
        """Return the raw files of one side of the comparison with real Delphes, "own" or "real"."""
        if wildcards.side == "own":
            return self._sources.raw(wildcards.process)
        return [str(self._sources.real_files()[wildcards.process])]

    def response_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the file of real Delphes."""
        return stamp(self.response_files(wildcards) if wildcards.side == "real" else [])

    def response_ingestion(self, wildcards: Any) -> str:
        """Return the settings of the ingestion of either side."""
        response = self._settings.detector_response
        assert response is not None, "the rule is asked for by the figure alone"
        return settings_argument(IngestionSettings(clouds=response.clouds, max_particles=response.max_particles))

    def delphes(self) -> str:
        """Return the version of the Delphes behind the files of real detector output, in words."""
        response = self._settings.detector_response
        return "unknown" if response is None else response.delphes

    def _dataset(self, wildcards: Any) -> DatasetSettings:
        return self._settings.datasets[wildcards.dataset]

    def _of_kind(self, kind: type[Source]) -> dict[str, Source]:
        sources = {name: dataset.source for name, dataset in self._settings.datasets.items()}
        return {name: source for name, source in sources.items() if isinstance(source, kind)}
