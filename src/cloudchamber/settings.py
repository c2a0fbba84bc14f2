"""The settings of an analysis: the one place that says which keys config.yaml has, their types and defaults.

Every model is frozen and refuses unknown keys. Importing this module is cheap, since Snakemake does it for each job.
"""

from abc import ABC
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, final

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from cloudchamber.errors import SettingsError

__all__ = [
    "AnalysisSettings",
    "DatasetSettings",
    "DiffusionSettings",
    "EpicSettings",
    "FlowMatchingSettings",
    "GeneratorSettings",
    "IngestionSettings",
    "JetGenerationSettings",
    "LogPosteriorSettings",
    "MarginalsModel",
    "MetricSettings",
    "ModelSettings",
    "ParticleNetSettings",
    "PreparationSettings",
    "ProcessSettings",
    "ReclusteredJets",
    "SamplerSettings",
    "SplitSettings",
    "StoredJets",
    "TrainedModel",
    "TrainingSettings",
    "WholeEvents",
    "load",
    "parse",
]

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(gt=0, lt=1)]


def _ordered(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] >= window[1]:
        raise ValueError("the lower limit must be below the upper one")
    return window


Window = Annotated[tuple[Annotated[float, Field(ge=0)], PositiveFloat], AfterValidator(_ordered)]


class Settings(BaseModel, ABC):
    """Abstract base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


@final
class ProcessSettings(Settings):
    """A process to simulate: Pythia 8 commands and how many events."""

    title: str
    commands: tuple[str, ...] = Field(description="Pythia 8 settings that switch the process on")
    pt_hat: Window = Field(description="limits on the transverse momentum of the hard scattering [GeV]")
    energy: PositiveFloat = Field(13000.0, description="centre-of-mass energy [GeV]")
    events: PositiveInt = Field(description="events to simulate, all shards together")
    shards: PositiveInt = Field(1, description="files, each with its own seed and its own job")


Constituents = Literal["tower", "energy_flow", "particle"]


class JetSelection(Settings, ABC):
    """Abstract: which jets become clouds."""

    pt_window: Window = Field((0.0, 1.0e6), description="accepted transverse momentum of the jet [GeV]")
    eta_max: PositiveFloat = Field(5.0, description="largest |eta| of the jet")
    jets_per_event: PositiveInt = Field(2, description="at most this many accepted jets, hardest first")


@final
class StoredJets(JetSelection):
    """Jets as the file has them: their constituents are found through stored references or indices."""

    kind: Literal["stored"]
    collection: str = Field("Jet", description="branch of the jets")


@final
class ReclusteredJets(JetSelection):
    """Jets clustered anew from the constituents of the event."""

    kind: Literal["reclustered"]
    constituents: Constituents = "tower"
    algorithm: Literal["anti-kt", "kt", "cambridge-aachen"] = "anti-kt"
    radius: PositiveFloat = 0.8


@final
class WholeEvents(Settings):
    """Each event is one cloud."""

    kind: Literal["events"]
    constituents: Constituents = "tower"


@final
class IngestionSettings(Settings):
    """How raw files become padded clouds."""

    clouds: Annotated[StoredJets | ReclusteredJets | WholeEvents, Field(discriminator="kind")]
    max_particles: PositiveInt = Field(description="padded length; the hardest particles are kept")
    extra_leaves: tuple[str, ...] = Field((), description="further leaves of the constituents to keep, such as Eem")
    tree: str = "Delphes"
    step_size: Annotated[str, Field(pattern=r"^\d+ ?[kM]B$")] = Field("8 MB", description="raw data read at a time")
    on_bad_file: Literal["fail", "skip"] = Field("fail", description="unreadable file: stop, or skip and count")
    on_bad_event: Literal["fail", "skip"] = Field("fail", description="NaN or infinity: stop, or skip and count")


@final
class SimulatedSource(Settings):
    """The raw files that the pipeline simulates."""

    kind: Literal["simulated"]
    process: Name


@final
class DelphesSource(Settings):
    """Delphes files that are already there."""

    kind: Literal["delphes"]
    files: tuple[str, ...] = Field(min_length=1, description="paths; wildcards such as data/*.root are expanded")


@final
class SplitSettings(Settings):
    """Fractions of the events; what is left is the test part."""

    train: Fraction = 0.5
    validation: Fraction = 0.1

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train + validation must be below 1, the rest is the test part")
        return self


@final
class PreparationSettings(Settings):
    """How clouds become the input of networks."""

    split: SplitSettings = SplitSettings()
    pt_scale: Literal["linear", "sqrt", "log"] = Field(
        "sqrt", description="scale on which networks see pt_rel; sqrt and log keep it positive"
    )


@final
class DatasetSettings(Settings):
    """A data set: where its raw files are and how they become clouds."""

    title: str
    source: Annotated[SimulatedSource | DelphesSource, Field(discriminator="kind")]
    ingestion: IngestionSettings
    preparation: PreparationSettings = PreparationSettings()


@final
class EpicSettings(Settings):
    """EPiC network (arXiv 2301.08128, 2310.00049)."""

    kind: Literal["epic"] = "epic"
    layers: PositiveInt = 6
    hidden: PositiveInt = 128
    latent: PositiveInt = Field(10, description="width of the global vector of a cloud")
    time_features: Annotated[int, Field(gt=0, multiple_of=2)] = 32
    sum_scale: PositiveFloat = Field(0.01, description="factor on the sum over particles before the global products")


@final
class FlowMatchingSettings(Settings):
    """Conditional flow matching on straight paths (arXiv 2210.02747, 2310.00049)."""

    kind: Literal["flow_matching"]
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the network sees")


@final
class DiffusionSettings(Settings):
    """Variance-preserving diffusion with the cosine schedule (arXiv 2303.05376, 2310.00049)."""

    kind: Literal["diffusion"]
    signal_max: Fraction = Field(0.999, description="signal rate at t = 0")
    signal_min: Fraction = Field(0.02, description="signal rate at t = 1")
    likelihood_weight: Annotated[float, Field(ge=0)] = Field(1e-3, description="weight of the likelihood term")
    clip: PositiveFloat = Field(25.0, description="largest size of the estimated clean data when sampling")
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the network sees")

    @model_validator(mode="after")
    def _signal_decreases(self) -> Self:
        if self.signal_min >= self.signal_max:
            raise ValueError("signal_min must be below signal_max")
        return self


@final
class TrainingSettings(Settings):
    """The training loop."""

    steps: PositiveInt
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 5e-5
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["constant", "cosine"] = "cosine"
    gradient_clip: PositiveFloat = 0.5
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = 0.999
    validate_every: PositiveInt = 500
    save_every: PositiveInt = Field(200, description="steps between two saved states")
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: PositiveInt = Field(1, description="devices (GPUs, or processes on CPU) of one training")
    nodes: PositiveInt = 1


# Evaluations of the network per step of each solver.
EVALUATIONS_PER_STEP = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4, "euler_maruyama": 1, "ddim": 1}


@final
class SamplerSettings(Settings):
    """How to draw from a trained model."""

    solver: Literal["euler", "midpoint", "heun", "rk4", "euler_maruyama", "ddim"]
    evaluations: PositiveInt = Field(description="network evaluations per jet")
    precision: Literal["float32", "bfloat16"] = "float32"

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        per_step = EVALUATIONS_PER_STEP[self.solver]
        if self.evaluations % per_step:
            raise ValueError(f"{self.solver} takes {per_step} evaluations per step; evaluations must be a multiple")
        return self


class _Generator(Settings, ABC):
    """Abstract: what makes the weights of a generative model."""

    network: EpicSettings = EpicSettings()
    objective: Annotated[FlowMatchingSettings | DiffusionSettings, Field(discriminator="kind")]
    conditions: tuple[Literal["jet_pt", "jet_mass"], ...] = ()
    training: TrainingSettings


@final
class GeneratorSettings(_Generator):
    """What one training needs: the model without its title and samplers, which come after it."""


@final
class TrainedModel(_Generator):
    """A generative model: network, objective and conditions, trained and sampled."""

    kind: Literal["trained"]
    title: str
    samplers: Mapping[Name, SamplerSettings] = Field(
        min_length=1, description="the first one competes for the posterior"
    )

    @property
    def generator(self) -> GeneratorSettings:
        """The part that decides the weights."""
        return GeneratorSettings(**{name: getattr(self, name) for name in GeneratorSettings.model_fields})


@final
class MarginalsModel(Settings):
    """Zero-skill baseline: every particle drawn independently from the training particles."""

    kind: Literal["marginals"]
    title: str


ModelSettings = Annotated[TrainedModel | MarginalsModel, Field(discriminator="kind")]


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
    processes: Mapping[Name, ProcessSettings] = Field(default_factory=dict)
    detector_response: DetectorResponseSettings | None = None
    datasets: Mapping[Name, DatasetSettings]
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


T = TypeVar("T", bound=Settings)


def parse(model: type[T], values: Mapping[str, Any], source: str | Path = "settings") -> T:
    """Check ``values`` against a settings model. A key whose value is null counts as left out.

    Raises:
        SettingsError: one line with the source, the dotted key and the reason for each fault.
    """
    try:
        return model.model_validate(_without_nulls(values))
    except ValidationError as error:
        faults = [f"{_dotted(fault['loc'], values)}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError(f"{source}: " + "; ".join(fault.removeprefix(": ") for fault in faults)) from None


def load(model: type[T], text_or_path: str) -> T:
    """Read settings from inline JSON (begins with a brace) or from a YAML or JSON file.

    Raises:
        SettingsError: the file is missing, is not a mapping, or does not fit the model.
    """
    inline = text_or_path.lstrip().startswith("{")
    source = "settings" if inline else text_or_path
    try:
        values = yaml.safe_load(text_or_path if inline else Path(text_or_path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{source}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{source}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{source}: expected keys and values at the top level")
    return parse(model, values, source)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def _dotted(location: tuple[int | str, ...], values: Any) -> str:
    """Join a location, without the tags of unions that pydantic puts into it and the user never wrote."""
    kept = []
    for part in location:
        if isinstance(values, Mapping) and part not in values and isinstance(values.get("kind", part), str):
            is_tag = values.get("kind") == part
            if is_tag:
                continue
        kept.append(str(part))
        values = values.get(part) if isinstance(values, Mapping) else None
    return ".".join(kept)
