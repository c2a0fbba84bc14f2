"""Where every file of an analysis lies: paths are made here and nowhere else."""

from pathlib import Path
from typing import Any, final

from cloudchamber.analysis import AnalysisSettings
from cloudchamber.settings.external import external_files
from cloudchamber.settings.generators import TrainedModel
from cloudchamber.settings.jet_level import JET_FLOW, JetFlowSettings

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

    def external(self, name: str) -> str:
        """Return where an external file is downloaded to: once for all analyses."""
        return f"data/external/{external_files()[name].file}"

    @property
    def external_lock(self) -> str:
        """What pins the sizes and checksums of external files; no rule declares it, since it belongs into git."""
        return "data/external.lock"

    def prepared(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}.h5"

    def truth_observables(self, dataset: str) -> str:
        return f"{self.results}/prepared/{dataset}_observables.h5"

    def samplers(self, model: str) -> list[str]:
        settings = self.study.models[model]
        return list(settings.samplers) if isinstance(settings, TrainedModel) else [NO_SAMPLER]

    def sample(self, dataset: str, model: str, sampler: str, seed: int) -> str:
        return f"{self.study_folder(dataset)}/samples/{model}/{sampler}_seed{seed}.h5"

    def model_folder(self, dataset: str, model: str, seed: int) -> str:
        """Return where the files of one training lie; the jet-level flow has a folder of its own."""
        kept = "jet_level" if model == JET_FLOW else f"models/{model}"
        return f"{self.study_folder(dataset)}/{kept}/seed{seed}"

    def cards(self) -> list[str]:
        """Return the cards of all trained models: one per model and data set, in one folder."""
        models = [*self.trained_models(), *([JET_FLOW] if self.has_jet_flow else [])]
        return [
            f"{self.study_folder(dataset)}/model_cards/{model}.md"
            for dataset in self.study.datasets
            for model in models
        ]

    @property
    def data_table(self) -> str:
        """The table of raw and external files."""
        return f"{self.results}/data.csv"

    def jets(self, dataset: str, seed: int) -> str:
        """Return the jets that all models of one seed are asked for: multiplicity, pT, eta and mass."""
        return f"{self.study_folder(dataset)}/jet_level/seed{seed}/jets.h5"

    def jet_comparison(self, dataset: str, seed: int) -> str:
        return f"{self.study_folder(dataset)}/jet_level/seed{seed}/comparison.csv"

    def solver_scan(self, dataset: str, model: str) -> str:
        return f"{self.study_folder(dataset)}/solver_scan/{model}.csv"

    def sampling_time(self, dataset: str) -> str:
        return f"{self.study_folder(dataset)}/sampling_time.csv"

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
            for seed in self.study.seeds_of(model)
        ]

    @property
    def has_jet_flow(self) -> bool:
        return isinstance(self.study.jet_level, JetFlowSettings)

    def jet_seeds(self) -> list[int]:
        """Return the seeds of all models: one jet-level draw each."""
        return sorted({seed for model in self.study.models for seed in self.study.seeds_of(model)})

    def competitors(self, dataset: str, seed: int) -> dict[str, str]:
        """Return the samples that compete in the log posterior of one seed.

        Of each model its first sampler, with this seed, or with its first one where it has not this one: all
        posteriors have the same competitors.
        """
        chosen = {}
        for model in self.study.models:
            own = self.study.seeds_of(model)
            chosen[model] = self.sample(dataset, model, self.samplers(model)[0], seed if seed in own else own[0])
        return chosen

    @property
    def metrics(self) -> str:
        """The table of the study."""
        return f"{self.results}/jet_generation/metrics.csv"

    def trained_models(self) -> list[str]:
        return [name for name, model in self.study.models.items() if isinstance(model, TrainedModel)]

    def twins(self) -> list[dict[str, str]]:
        """Return the pairs of models that differ in nothing but that one is conditional."""
        trained = {name: model for name, model in self.study.models.items() if isinstance(model, TrainedModel)}
        return [
            {"unconditional": free, "conditional": bound}
            for free, unconditional in trained.items()
            for bound, conditional in trained.items()
            if conditional.conditions
            and not unconditional.conditions
            and conditional.generator.model_copy(update={"conditions": ()}) == unconditional.generator
        ]

    def real_files(self) -> dict[str, str | None]:
        """Return the file of real Delphes of each process to compare with, None where it is not there."""
        response = self.settings.detector_response
        if response is None:
            return {}
        return {name: path if Path(path).is_file() else None for name, path in response.real_files.items()}
