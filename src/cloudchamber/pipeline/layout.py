"""Where every file of an analysis lies: paths are made here and nowhere else."""

from pathlib import Path
from typing import Any, final

from cloudchamber.settings import AnalysisSettings, TrainedModel

__all__ = ["NO_SAMPLER", "Layout"]

# Name of the sampler of a model that has none.
NO_SAMPLER = "none"


@final
class Layout:
    """The paths of one analysis."""

    def __init__(self, settings: AnalysisSettings) -> None:
        self.settings = settings
        self.study = settings.jet_generation
        self.results = settings.results

    @property
    def state(self) -> str:
        """Folder of resumable training states; no rule declares what lies in it, so that Snakemake keeps it."""
        return f"state/{self.results}"

    @property
    def logs(self) -> str:
        return f"logs/{self.results}"

    def raw(self, process: str) -> list[str]:
        shards = self.settings.processes[process].shards
        return [f"{self.results}/raw/{process}/{shard}.root" for shard in range(shards)]

    def all_raw(self) -> list[str]:
        return [path for process in self.settings.processes for path in self.raw(process)]

    def prepared(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}.h5"

    def truth_observables(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}_observables.h5"

    def samplers(self, model: str) -> list[str]:
        settings = self.study.models[model]
        return list(settings.samplers) if isinstance(settings, TrainedModel) else [NO_SAMPLER]

    def sample(self, dataset: str, model: str, sampler: str, seed: int) -> str:
        return f"{self.study_folder(dataset)}/samples/{model}/{sampler}_seed{seed}.h5"

    def study_folder(self, dataset: str) -> str:
        return f"{self.results}/jet_generation/{dataset}"

    def entries(self, dataset: str) -> list[dict[str, Any]]:
        """Return every sample of a data set: names, title, seed and files."""
        return [
            {
                "dataset": dataset,
                "name": model,
                "title": self.study.models[model].title,
                "sampler": sampler,
                "seed": seed,
                "clouds": (sample := self.sample(dataset, model, sampler, seed)),
                "observables": sample.replace(".h5", "_observables.h5"),
                "comparison": sample.replace(".h5", "_comparison.csv"),
            }
            for model in self.study.models
            for sampler in self.samplers(model)
            for seed in self.study.seeds
        ]

    @property
    def metrics(self) -> str:
        """The table of the study."""
        return f"{self.results}/jet_generation/metrics.csv"

    def trained_models(self) -> list[str]:
        return [name for name, model in self.study.models.items() if isinstance(model, TrainedModel)]

    def real_files(self) -> dict[str, str | None]:
        """Return the file of real Delphes of each process to compare with, None where it is not there."""
        response = self.settings.detector_response
        if response is None:
            return {}
        return {name: path if Path(path).is_file() else None for name, path in response.real_files.items()}
