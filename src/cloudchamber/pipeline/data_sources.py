"""Where the data of an analysis come from: its raw and external files, in words and one by one."""

import os
from collections.abc import Iterable, Mapping, Sequence
from glob import has_magic
from itertools import pairwise
from pathlib import Path
from typing import final

from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.paths import Paths
from cloudchamber.settings.data import DelphesSource, JetNetSource, LabelledSource, SimulatedSource
from cloudchamber.settings.external import external_files
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.wildcards import expand, hint

__all__ = ["DataSources"]

_OWN = "file of the user"
# Of one data set: more would make a plan slow, and no job much shorter.
_MOST_JOBS = 200


@final
class DataSources:
    """The raw and external files of one analysis.

    Args:
        settings: processes and data sets.
        used: data sets that studies are made from; nothing is made of others.
        splits: files of indices of the user, each with what is split by it.
        of_studies: further files of the user, each with what it is, in words, and what is made of it.
    """

    def __init__(
        self,
        settings: SharedSettings,
        used: Sequence[str],
        splits: Iterable[tuple[str, str]] = (),
        of_studies: Iterable[tuple[str, str, str]] = (),
    ) -> None:
        self._settings = settings
        self._paths = Paths(settings.results)
        self._used = {name: settings.datasets[name] for name in used}
        self._splits = tuple(splits)
        self._of_studies = tuple(of_studies)
        # Jobs ask for them one by one, and there may be ten thousand files.
        self._files: dict[str, list[str]] = {}
        self._groups: dict[str, list[list[str]]] = {}

    def raw(self, process: str) -> list[str]:
        """Return the simulated files of a process."""
        return self._paths.raw(process, self._settings.processes[process].shards)

    def all_raw(self) -> list[str]:
        """Return every simulated file that anything is made from."""
        return [path for process in self.simulated_processes() for path in self.raw(process)]

    def real_files(self) -> dict[str, str | None]:
        """Return the file of real Delphes of each process to compare with, None where it is not there."""
        response = self._settings.detector_response
        if response is None:
            return {}
        return {name: path if Path(path).is_file() else None for name, path in response.files.items()}

    def files(self, dataset: str) -> list[str]:
        """Return the files that the clouds of a data set are read from."""
        if dataset not in self._files:
            self._files[dataset] = self._found(dataset)
        return self._files[dataset]

    def groups(self, dataset: str) -> list[list[str]]:
        """Return the files of each job that ingests a data set; one group where a single job does."""
        if dataset not in self._groups:
            self._groups[dataset] = self._grouped(dataset)
        return self._groups[dataset]

    def _grouped(self, dataset: str) -> list[list[str]]:
        # In the order in which one job would read them.
        files = [str(path) for path in sorted(map(Path, self.files(dataset)))]
        of_job = self._settings.datasets[dataset].files_per_job
        jobs = max(1, min(_MOST_JOBS, -(-len(files) // of_job)))
        ends = [len(files) * job // jobs for job in range(jobs + 1)]
        return [files[start:end] for start, end in pairwise(ends)]

    def grouped(self) -> list[str]:
        """Return the data sets that are ingested by several jobs."""
        ingested = [name for name, dataset in self._used.items() if dataset.ingestion is not None]
        return [name for name in ingested if len(self.groups(name)) > 1]

    def _found(self, dataset: str) -> list[str]:
        source = self._settings.datasets[dataset].source
        if isinstance(source, SimulatedSource):
            return self.raw(source.process)
        if isinstance(source, DelphesSource | LabelledSource):
            return [str(path) for path in expand(source.files)]
        if source.download is not None:
            return [self._paths.external(source.download)]
        assert source.file is not None
        return [source.file]

    def simulated(self, dataset: str) -> bool:
        return isinstance(self._settings.datasets[dataset].source, SimulatedSource)

    def of_dataset(self, dataset: str) -> str:
        """Return where a data set comes from, in words."""
        source = self._settings.datasets[dataset].source
        if isinstance(source, SimulatedSource):
            process = self._settings.processes[source.process]
            return f"own simulation of {process.title}, {process.events:,} events, {process.scattering}"
        if isinstance(source, DelphesSource):
            return f"Delphes files of the user: {', '.join(source.files)}"
        if isinstance(source, LabelledSource):
            return f"files of the user, in the layout {source.layout}: {', '.join(source.files)}"
        if source.download is None:
            return f"{_OWN} {source.file}, in the layout of JetNet"
        external = external_files()[source.download]
        return f"{external.description}, {external.url} ({external.version})"

    def all_files(self) -> list[Mapping[str, str]]:
        """Return every raw and external file of the analysis, each once, with where it is from; "download" is its name
        in the table of external files, where it has one."""
        found: dict[str, str] = {}
        for process in self.simulated_processes():
            for shard, path in enumerate(self.raw(process)):
                found[path] = f"simulated here: process {process}, shard {shard}, seed {self._settings.seed}"
        for name in self._used:
            for path in self.files(name):
                found.setdefault(path, _OWN if self._is_own(name) else self.of_dataset(name))
        for indices, _ in self._splits:
            found.setdefault(indices, f"{_OWN}: indices of a split")
        for file, what, _ in self._of_studies:
            found.setdefault(file, f"{_OWN}: {what}")
        for process, real in self.real_files().items():
            if real is not None:
                found.setdefault(real, f"{_OWN}: real Delphes, to compare with process {process}")
        downloads = self._downloads()
        return [
            {"file": path, "source": source} | ({"download": downloads[path]} if path in downloads else {})
            for path, source in found.items()
        ]

    def _downloads(self) -> dict[str, str]:
        """Return the names of the downloaded files of data sets in the table of external files, by their paths."""
        sources = [dataset.source for dataset in self._used.values()]
        names = [source.download for source in sources if isinstance(source, JetNetSource) and source.download]
        return {self._paths.external(name): name for name in names}

    def made(self) -> list[str]:
        """Return everything that is made of the files themselves, and not of what was made from them."""
        grouped = self.grouped()
        clouds = [
            path
            for name in self._used
            for path in (
                self._paths.groups(name, len(self.groups(name))) if name in grouped else [self._paths.clouds(name)]
            )
        ]
        real = [
            self._paths.response(process, "real") for process, file in self.real_files().items() if file is not None
        ]
        of_studies = [made for *_, made in self._of_studies]
        return [*clouds, *real, *of_studies, *dict.fromkeys(made for _, made in self._splits)]

    def own_files(self, dataset: str) -> list[str]:
        """Return the files of the user that the clouds of a data set are read from: none that a rule makes."""
        return self.files(dataset) if self._is_own(dataset) else []

    def all_own_files(self) -> list[str]:
        """Return every file of the user."""
        of_datasets = [path for name in self._used for path in self.own_files(name)]
        real = [file for file in self.real_files().values() if file is not None]
        of_studies = [file for file, *_ in self._of_studies]
        return [*of_datasets, *(file for file, _ in self._splits), *of_studies, *real]

    def refuse_missing(self) -> None:
        """Refuse a file or wildcard of the user that names no file, or one that Snakemake would read otherwise.

        What lies where rules write may be made later.

        Raises:
            SettingsError: with the dotted key.
            InputError: a folder cannot be read.
        """
        for name in self._used:
            self._refuse_results(name)
            key = "files" if hasattr(self._settings.datasets[name].source, "files") else "file"
            for file in self.own_files(name):
                if {"{", "}"} & set(file):
                    raise SettingsError(
                        f"datasets.{name}.source.{key}: braces are wildcards of Snakemake: rename {file}"
                    )
                if Path(file).exists():
                    continue
                if has_magic(file):
                    raise SettingsError(f"datasets.{name}.source.{key}: no file matches {file}{hint(file)}")
                if not file.startswith((f"{self._paths.results}/", f"{self._paths.external_folder}/")):
                    raise SettingsError(f"datasets.{name}.source.{key}: no such file: {file}{hint(file)}")

    def _refuse_results(self, dataset: str) -> None:
        """Refuse wildcards that match results of this analysis among other files: after a run they would match more."""
        source = self._settings.datasets[dataset].source
        if not isinstance(source, DelphesSource | LabelledSource):
            return
        wide = [text for text in source.files if has_magic(text) and not self._is_result(text)]
        named = [str(path) for path in expand(text for text in source.files if text not in wide)] if wide else []
        for file in self.files(dataset) if wide else []:
            if self._is_result(file) and file not in named:
                raise SettingsError(
                    f"datasets.{dataset}.source.files: {', '.join(wide)} matches {file}, a result of this analysis: "
                    "name the folder of your files"
                )

    def _is_result(self, path: str) -> bool:
        return Path(os.path.abspath(path)).is_relative_to(os.path.abspath(self._paths.results))

    def simulated_processes(self) -> list[str]:
        """Return the processes that anything is made from: no other is simulated."""
        sources = [dataset.source for dataset in self._used.values()]
        of_datasets = [source.process for source in sources if isinstance(source, SimulatedSource)]
        return list(dict.fromkeys([*of_datasets, *self.real_files()]))

    def _is_own(self, dataset: str) -> bool:
        source = self._settings.datasets[dataset].source
        return isinstance(source, DelphesSource | LabelledSource) or getattr(source, "file", None) is not None
