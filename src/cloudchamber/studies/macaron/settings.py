"""Settings of the macaron study."""

from collections.abc import Mapping
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Fraction, Name, PositiveFloat, PositiveInt, Settings
from cloudchamber.settings.classification import ClassificationSettings
from cloudchamber.settings.taggers import ParticleDynamicsTagger, TransformerTagger

__all__ = [
    "ComparisonSettings",
    "MacaronSettings",
    "MeasurementSettings",
    "ParticleSystem",
    "RefinementSettings",
    "SplittingSettings",
]


@final
class ParticleSystem(Settings):
    """Particles on which orders of accuracy are measured."""

    title: str
    strength: PositiveFloat = Field(description="of the interaction; 1 makes it about as fast as the drift")
    steps: Annotated[tuple[PositiveInt, ...], Different] = Field(
        min_length=2, description="numbers of steps, whose errors give the slope"
    )
    exact_step: PositiveFloat = Field(
        description="longest step of Runge-Kutta 4 inside of a sub-step that counts as exact"
    )


@final
class SplittingSettings(Settings):
    """Measurement of the order of splitting schemes."""

    systems: Mapping[Name, ParticleSystem] = Field(min_length=1)
    particles: Annotated[int, Field(ge=2)] = Field(16, description="of a system, in two dimensions")
    draws: Annotated[int, Field(ge=2)] = Field(16, description="systems with weights and positions of their own")
    duration: PositiveFloat = Field(1.0, description="of the motion")
    path_steps: PositiveInt = Field(4, description="steps of the paths that are drawn: layers of a network")


@final
class ComparisonSettings(Settings):
    """How arms are compared, with what is expected before any training."""

    reference: Name = Field("standard", description="arm that all others are compared with")
    seed_spread: PositiveFloat = Field(
        0.002, description="expected standard deviation of the accuracy over seeds, behind the detectable difference"
    )
    disagreement: Fraction = Field(
        0.1, description="expected share of test jets that just one of two trainings gets right, behind the same"
    )


@final
class MeasurementSettings(Settings):
    """What the numbers of the arms are computed with."""

    comparison: ComparisonSettings = ComparisonSettings()
    bootstraps: Annotated[int, Field(ge=2)] = Field(100, description="resamplings of the test jets")


@final
class RefinementSettings(Settings):
    """Networks with one F and one G, evaluated at more steps than they were trained with."""

    factors: Annotated[tuple[PositiveInt, ...], Different] = Field(
        (1, 2, 4, 8), min_length=2, description="steps in units of those of the training"
    )
    limit_factor: PositiveInt = Field(
        16, description="steps of Runge-Kutta 4 that stand for the limit, in the same units"
    )
    jets: PositiveInt = Field(512, description="test jets at most, the same for all networks")


@final
class MacaronSettings(ClassificationSettings):
    """The study of attention as dynamics, and of the Macaron block (arXiv 1906.02762)."""

    splitting: SplittingSettings
    comparison: ComparisonSettings = ComparisonSettings()
    learning_rates: Annotated[tuple[PositiveFloat, ...], Different] | None = Field(
        None,
        min_length=1,
        description="each arm is trained at each of them, and judged at that of its lowest validation loss; without "
        "them at training.learning_rate",
    )
    refinement: RefinementSettings | None = Field(
        None, description="evaluate the networks of kind particle_dynamics at more steps"
    )

    @model_validator(mode="after")
    def _models_are_of_the_study(self) -> Self:
        for name, model in self.models.items():
            if not isinstance(model.network, TransformerTagger | ParticleDynamicsTagger):
                raise ValueError(f"models.{name}: the study has networks of kind transformer and particle_dynamics")
        if self.comparison.reference not in self.arms:
            raise ValueError(f"comparison.reference: no arm '{self.comparison.reference}' among {sorted(self.arms)}")
        if self.learning_curve is not None:
            raise ValueError("learning_curve: the study has none")
        if self.refinement is not None and not self.dynamics:
            raise ValueError("refinement: there is no model of kind particle_dynamics")
        if self.dynamics and self.refinement is None:
            raise ValueError(f"models.{self.dynamics[0]}: without refinement nothing is made of it")
        return self

    @property
    def measurement(self) -> MeasurementSettings:
        """The part that decides how arms are compared."""
        return MeasurementSettings(comparison=self.comparison, bootstraps=self.evaluation.bootstraps)

    @property
    def arms(self) -> tuple[str, ...]:
        """The models that are compared: transformers, which differ in their blocks."""
        return tuple(name for name, model in self.models.items() if isinstance(model.network, TransformerTagger))

    @property
    def dynamics(self) -> tuple[str, ...]:
        """The models with one F and one G."""
        return tuple(name for name, model in self.models.items() if isinstance(model.network, ParticleDynamicsTagger))
