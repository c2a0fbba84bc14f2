"""Where the files that studies share lie; a study adds paths below a folder of its own."""

from dataclasses import dataclass
from typing import final

from cloudchamber.settings.external import external_files

__all__ = ["Paths", "observables_of"]


def observables_of(clouds: str) -> str:
    """Return the file of observables beside a file of clouds."""
    return clouds.removesuffix(".h5") + "_observables.h5"


@final
@dataclass(frozen=True)
class Paths:
    """The paths of one analysis.

    Attributes:
        results: folder of all outputs.
    """

    results: str

    @property
    def state(self) -> str:
        """Folder of resumable training states; no rule declares what lies in it, so that Snakemake keeps it."""
        return f"state/{self.results}"

    @property
    def logs(self) -> str:
        """Folder of logs and benchmarks."""
        return f"logs/{self.results}"

    @property
    def data_table(self) -> str:
        """The table of raw and external files."""
        return f"{self.results}/data.csv"

    @property
    def external_lock(self) -> str:
        """What pins the sizes and checksums of external files; no rule declares it, since it belongs into git."""
        return "data/external.lock"

    @property
    def external_folder(self) -> str:
        """Folder of downloads."""
        return "data/external"

    def external(self, name: str) -> str:
        """Return where an external file is downloaded to: once for all analyses."""
        return f"{self.external_folder}/{external_files()[name].file}"

    def raw(self, process: str, shards: int) -> list[str]:
        """Return the simulated files of a process."""
        return [f"{self.results}/raw/{process}/{shard}.root" for shard in range(shards)]

    def clouds(self, dataset: str) -> str:
        """Return the clouds of a data set, as they were read."""
        return f"{self.results}/clouds/{dataset}.h5"

    def groups(self, dataset: str, number: int) -> list[str]:
        """Return the clouds of each of a number of groups of the files of a data set."""
        return [f"{self.results}/clouds/{dataset}_{group}-of-{number}.h5" for group in range(1, number + 1)]

    def prepared(self, dataset: str) -> str:
        """Return the clouds of a data set in relative coordinates, split and standardised."""
        return f"{self.results}/prepared/{dataset}.h5"

    def response(self, process: str, side: str) -> str:
        """Return the clouds of one side of the comparison with real Delphes, "own" or "real"."""
        return f"{self.results}/detector_response/{process}/{side}.h5"

    def study(self, name: str) -> str:
        """Return the folder of a study."""
        return f"{self.results}/{name}"
