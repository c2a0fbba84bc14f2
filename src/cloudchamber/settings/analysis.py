"""Settings of the studies and of the whole analysis: the content of config.yaml."""

from collections.abc import Mapping
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveInt, Settings
from cloudchamber.settings.data import DatasetSettings, ProcessSettings, ReclusteredJets, SimulatedSource
from cloudchamber.settings.models import ModelSettings, TrainingSettings

__all__ = [
    "AnalysisSettings",
    "DetectorResponseSettings",
    "JetGenerationSettings",
    "LogPosteriorSettings",
    "MetricSettings",
    "ParticleNetSettings",
]


@final
class ParticleNetSettings(Settings):
    """ParticleNet classifier (arXiv 1902.08570)."""

    neighbours: PositiveInt = 8
    blocks: tuple[tuple[PositiveInt, ...], ...] = Field(((32, 32, 32), (64, 64, 64)), description="EdgeConv widths")
    fusion: PositiveInt = 128
    dense: PositiveInt = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


@final
class LogPosteriorSettings(Settings):
    """The classifier behind the log posterior."""

    network: ParticleNetSettings = ParticleNetSettings()
    training: TrainingSettings
    jets_per_class: PositiveInt = Field(description="jets of each class for training and validation together")


@final
class MetricSettings(Settings):
    """How samples are compared with truth."""

    bins: PositiveInt = Field(100, description="equally probable bins of the truth for the KL divergence")
    bootstraps: PositiveInt = Field(50, description="resamplings behind each uncertainty")


@final
class JetGenerationSettings(Settings):
    """The study of generative models of jets."""

    datasets: tuple[Name, ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, description="one training per model and seed")
    generated: PositiveInt = Field(description="jets to generate per model, sampler and seed")
    models: Mapping[Name, ModelSettings] = Field(min_length=1)
    metrics: MetricSettings = MetricSettings()
    log_posterior: LogPosteriorSettings
    threads: PositiveInt = Field(1, description="threads of one training or sampling process")


@final
class DetectorResponseSettings(Settings):
    """Comparison of the simulated detector with files of real Delphes, where those are there."""

    clouds: ReclusteredJets
    max_particles: PositiveInt = 200
    real_files: Mapping[Name, str] = Field(default_factory=dict, description="process -> file of the same process")


@final
class AnalysisSettings(Settings):
    """Everything: the content of config.yaml."""

    results: str = Field("results", description="folder of all outputs")
    seed: Annotated[int, Field(ge=0)] = Field(1, description="seed of the simulation, the splits and the metrics")
    processes: Mapping[Name, ProcessSettings] = Field(default_factory=dict, description="what to simulate")
    detector_response: DetectorResponseSettings | None = None
    datasets: Mapping[Name, DatasetSettings] = Field(description="clouds and where they come from")
    jet_generation: JetGenerationSettings

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, dataset in self.datasets.items():
            if isinstance(dataset.source, SimulatedSource) and dataset.source.process not in self.processes:
                raise ValueError(f"datasets.{name}.source.process: no process '{dataset.source.process}'")
        for name in self.jet_generation.datasets:
            if name not in self.datasets:
                raise ValueError(f"jet_generation.datasets: no data set '{name}' among {sorted(self.datasets)}")
        return self
