"""What the rules of the workflow ask for.

Methods that take ``wildcards`` are input and params functions of Snakemake.
"""

from collections.abc import Iterable, Mapping
from glob import glob
from typing import Any, final

from cloudchamber.pipeline.drawings import Drawings, as_json, paths_in
from cloudchamber.pipeline.layout import Layout
from cloudchamber.pipeline.sources import code
from cloudchamber.settings import (
    AnalysisSettings,
    DelphesSource,
    IngestionSettings,
    SimulatedSource,
    TrainedModel,
    parse,
)

__all__ = ["Pipeline", "as_json", "code", "paths_in"]


@final
class Pipeline:
    """Settings and inputs of the jobs of one analysis.

    Args:
        config: content of config.yaml and its overlays.

    Raises:
        SettingsError: one line with each wrong key.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.settings = parse(AnalysisSettings, config, "configuration")
        self.study = self.settings.jet_generation
        self.seed = self.settings.seed
        self.layout = Layout(self.settings)
        self.drawings = Drawings(self.layout)

    def any_of(self, names: Iterable[str]) -> str:
        """Return the regular expression of a wildcard that is one of ``names``."""
        return "|".join(names) or "(?!)"

    # Settings of jobs, as JSON for the command line.

    def process_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.processes[wildcards.process])

    def ingestion_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.datasets[wildcards.dataset].ingestion)

    def response_settings(self, wildcards: Any) -> str:
        response = self.settings.detector_response
        assert response is not None
        return _dump(IngestionSettings(clouds=response.clouds, max_particles=response.max_particles))

    def preparation_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.datasets[wildcards.dataset].preparation)

    def model_settings(self, wildcards: Any) -> str:
        return _dump(self._trained(wildcards.model).generator)

    def sampler_settings(self, wildcards: Any) -> str:
        return _dump(self._trained(wildcards.model).samplers[wildcards.sampler])

    def metric_settings(self, wildcards: Any) -> str:
        return _dump(self.study.metrics)

    def log_posterior_settings(self, wildcards: Any) -> str:
        return _dump(self.study.log_posterior)

    def training_minutes(self, wildcards: Any, attempt: int) -> int:
        """Return the time limit of a training; a retry goes on from the saved state with a larger one."""
        return 720 * attempt

    def gpus(self, wildcards: Any) -> int:
        """Return the GPUs of one training: those it asks for by name; "auto" takes what it finds."""
        training = self._trained(wildcards.model).training
        return training.devices if training.accelerator == "cuda" else 0

    def _trained(self, name: str) -> TrainedModel:
        model = self.study.models[name]
        assert isinstance(model, TrainedModel)
        return model

    def dataset_files(self, wildcards: Any) -> list[str]:
        """Return the raw files of a data set: simulated ones, or the user's own."""
        source = self.settings.datasets[wildcards.dataset].source
        if isinstance(source, SimulatedSource):
            return self.layout.raw(source.process)
        assert isinstance(source, DelphesSource)
        return sorted({path for pattern in source.files for path in glob(pattern) or [pattern]})

    def competitors(self, wildcards: Any) -> dict[str, str]:
        """Return the generated clouds that compete in the log posterior: of each model its first sampler."""
        return {
            model: self.layout.sample(wildcards.dataset, model, self.layout.samplers(model)[0], wildcards.seed)
            for model in self.study.models
        }

    def competitor_files(self, wildcards: Any) -> list[str]:
        return list(self.competitors(wildcards).values())

    def competitor_arguments(self, wildcards: Any) -> list[str]:
        return [f"{name}={path}" for name, path in self.competitors(wildcards).items()]

    def evaluation_files(self, wildcards: Any = None) -> dict[str, Any]:
        """Return what the table of the study is gathered from."""
        return {
            "samples": [
                {key: entry[key] for key in ("dataset", "name", "sampler", "seed", "clouds", "comparison")}
                for dataset in self.study.datasets
                for entry in self.layout.entries(dataset)
            ],
            "posteriors": [
                {
                    "dataset": dataset,
                    "seed": seed,
                    "path": f"{self.layout.study_folder(dataset)}/log_posterior/seed{seed}.csv",
                }
                for dataset in self.study.datasets
                for seed in self.study.seeds
            ],
        }

    def response_raw(self, wildcards: Any) -> list[str]:
        """Return the raw files of one side of the comparison, "own" or "real"."""
        if wildcards.side == "own":
            return self.layout.raw(wildcards.process)
        return [str(self.layout.real_files()[wildcards.process])]


def _dump(settings: Any) -> str:
    return as_json(settings.model_dump(mode="json"))
