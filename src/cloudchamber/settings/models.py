"""Settings of generative models: network, objective, training, sampling."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Fraction, Name, PositiveFloat, PositiveInt, Settings

__all__ = [
    "EVALUATIONS_PER_STEP",
    "DiffusionSettings",
    "EpicSettings",
    "FlowMatchingSettings",
    "GeneratorSettings",
    "MarginalsModel",
    "ModelSettings",
    "SamplerSettings",
    "TrainedModel",
    "TrainingSettings",
]


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
