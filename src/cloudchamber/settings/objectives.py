"""Settings of the training objectives of generative models."""

from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Fraction, PositiveFloat, PositiveInt, Settings

__all__ = [
    "AdversarialSettings",
    "DiffusionSettings",
    "EdmSettings",
    "FlowMatchingSettings",
    "ObjectiveSettings",
]


@final
class FlowMatchingSettings(Settings):
    """Conditional flow matching on straight paths (arXiv 2210.02747, 2310.00049)."""

    kind: Literal["flow_matching"]
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    coupling: Literal["independent", "assignment"] = Field(
        "independent", description="noise of a particle: any, or assigned at least cost within each cloud"
    )
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the network sees")


@final
class DiffusionSettings(Settings):
    """Variance-preserving diffusion with the cosine schedule (arXiv 2303.05376, 2310.00049)."""

    kind: Literal["diffusion"]
    signal_max: Fraction = Field(0.999, description="signal rate at t = 0")
    signal_min: Fraction = Field(0.02, description="signal rate at t = 1")
    likelihood_weight: Annotated[float, Field(ge=0)] = Field(1e-3, description="weight of the likelihood term")
    clip: PositiveFloat = Field(
        25.0,
        description="largest size of the estimated clean data when sampling, in the units of data_scale: with 5 for it"
        " 25 are 5 standard deviations",
    )
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the network sees")

    @model_validator(mode="after")
    def _signal_decreases(self) -> Self:
        if self.signal_min >= self.signal_max:
            raise ValueError("signal_min must be below signal_max")
        return self


@final
class EdmSettings(Settings):
    """Diffusion with the preconditioning of EDM (arXiv 2206.00364), as in PC-Droid (arXiv 2307.06836)."""

    kind: Literal["edm"]
    sigma_min: PositiveFloat = Field(0.002, description="lowest noise level of sampling")
    sigma_max: PositiveFloat = Field(80.0, description="highest noise level of sampling")
    rho: PositiveFloat = Field(7.0, description="how much the steps of sampling crowd at low noise")
    log_mean: float = Field(-1.2, description="mean of ln(sigma) in training")
    log_deviation: PositiveFloat = Field(1.2, description="standard deviation of ln(sigma) in training")
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the network sees")

    @model_validator(mode="after")
    def _noise_increases(self) -> Self:
        if self.sigma_min >= self.sigma_max:
            raise ValueError("sigma_min must be below sigma_max")
        return self


@final
class AdversarialSettings(Settings):
    """Least-squares adversarial training of a generator against an EPiC discriminator (arXiv 2301.08128)."""

    kind: Literal["adversarial"]
    discriminator_layers: PositiveInt = 3
    discriminator_hidden: PositiveInt = 128
    data_scale: PositiveFloat = Field(1.0, description="standard deviation of the data the networks see")


ObjectiveSettings = Annotated[
    FlowMatchingSettings | DiffusionSettings | EdmSettings | AdversarialSettings, Field(discriminator="kind")
]
