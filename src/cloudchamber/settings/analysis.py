"""Settings of the studies and of the whole analysis: the content of config.yaml."""

from collections.abc import Mapping
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveInt, Settings
from cloudchamber.settings.data import DatasetSettings, ReclusteredJets, SimulatedSource
from cloudchamber.settings.jets import JetLevelSettings, TrainingJets
from cloudchamber.settings.models import EVALUATIONS_PER_STEP, ModelSettings, Solver, TrainedModel, TrainingSettings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.objectives import AdversarialSettings
from cloudchamber.settings.processes import ProcessSettings
from cloudchamber.settings.tagging_study import TaggingSettings

__all__ = [
    "AnalysisSettings",
    "DetectorResponseSettings",
    "JetGenerationSettings",
    "LogPosteriorSettings",
    "MetricSettings",
    "SamplingTimeSettings",
    "SolverScanSettings",
]


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
    energy_mover_jets: Annotated[int, Field(ge=2)] = Field(
        50, description="jets of each side in a batch of pairwise energy mover's distances"
    )
    energy_mover_batches: Annotated[int, Field(ge=2)] = Field(5, description="such batches")


@final
class SolverScanSettings(Settings):
    """Quality against cost: models drawn from with every solver at several numbers of evaluations."""

    models: tuple[Name, ...] = Field(min_length=1, description="trained models; the first seed of each")
    solvers: tuple[Solver, ...] = Field(min_length=1)
    evaluations: tuple[PositiveInt, ...] = Field(
        min_length=1, description="per jet; what does not suit a solver is left out"
    )
    jets: PositiveInt = Field(description="jets per point")

    @property
    def compares_ode_and_sde(self) -> bool:
        """Whether the stochastic solver shares a number of evaluations with one of the ordinary equation."""
        others = [solver for solver in self.solvers if solver not in ("euler_maruyama", "one_step")]
        shared = any(number % EVALUATIONS_PER_STEP[solver] == 0 for solver in others for number in self.evaluations)
        return "euler_maruyama" in self.solvers and shared


@final
class SamplingTimeSettings(Settings):
    """Time of generating a jet against its number of particles."""

    multiplicities: tuple[PositiveInt, ...] = Field((10, 30, 60, 100, 150), min_length=1)
    jets: PositiveInt = Field(64, description="jets per measurement")
    rounds: PositiveInt = Field(3, description="measurements, after one to warm up")


@final
class JetGenerationSettings(Settings):
    """The study of generative models of jets."""

    datasets: tuple[Name, ...] = Field(min_length=1)
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1, description="one training per model and seed")
    generated: PositiveInt = Field(description="jets to generate per model, sampler and seed")
    models: Mapping[Name, ModelSettings] = Field(min_length=1)
    jet_level: JetLevelSettings = Field(
        default_factory=TrainingJets, description="where multiplicity, jet pT and mass of generated jets come from"
    )
    metrics: MetricSettings = MetricSettings()
    log_posterior: LogPosteriorSettings
    solver_scan: SolverScanSettings | None = None
    sampling_time: SamplingTimeSettings | None = None
    threads: PositiveInt = Field(1, description="threads of one training or sampling process")
    sampling_shards: PositiveInt = Field(
        1, description="jobs that share one sample; the result is the same to the bit on one kind of device"
    )

    @model_validator(mode="after")
    def _only_models_take_several_nodes(self) -> Self:
        of_one_node = {"jet_level": self.jet_level, "log_posterior": self.log_posterior}
        for name, settings in of_one_node.items():
            if not isinstance(settings, TrainingJets) and settings.training.nodes > 1:
                raise ValueError(f"{name}.training.nodes: only generative models can be trained on several nodes")
        return self

    @model_validator(mode="after")
    def _scanned_models_exist(self) -> Self:
        for name in self.solver_scan.models if self.solver_scan else ():
            model = self.models.get(name)
            if not isinstance(model, TrainedModel) or isinstance(model.objective, AdversarialSettings):
                raise ValueError(f"solver_scan.models: '{name}' is no trained model with a choice of solvers")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model."""
        return self.models[model].seeds or self.seeds


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
    tagging: TaggingSettings | None = None

    @property
    def used_datasets(self) -> Mapping[str, DatasetSettings]:
        """The data sets of the studies; nothing is made of others."""
        tagged = [item.dataset for item in self.tagging.classes.values()] if self.tagging else []
        return {name: self.datasets[name] for name in dict.fromkeys([*self.jet_generation.datasets, *tagged])}

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, dataset in self.datasets.items():
            if isinstance(dataset.source, SimulatedSource) and dataset.source.process not in self.processes:
                raise ValueError(f"datasets.{name}.source.process: no process '{dataset.source.process}'")
        for name in self.jet_generation.datasets:
            if name not in self.datasets:
                raise ValueError(f"jet_generation.datasets: no data set '{name}' among {sorted(self.datasets)}")
        for name, item in self.tagging.classes.items() if self.tagging else ():
            if item.dataset not in self.datasets:
                raise ValueError(f"tagging.classes.{name}.dataset: no data set '{item.dataset}'")
        return self
