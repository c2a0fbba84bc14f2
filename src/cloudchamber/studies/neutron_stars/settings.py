"""Settings of the study of neutron stars."""

from collections.abc import Mapping
from math import ceil
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Name, PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.neutron_stars.network_settings import StarNetwork

__all__ = [
    "Condition",
    "CurveSettings",
    "EvaluationSettings",
    "MeasurementSettings",
    "NeutronStarsSettings",
    "Noise",
    "StarModel",
    "StarModelSettings",
    "StarSettings",
]

# Points of a curve times the noise of the mass [solar masses], or of the radius [km]: over a curve both change about as
# much. Below, the exact likelihood is wrong by more than a hundredth.
_POINTS_PER_NOISE = 3.0


@final
class CurveSettings(Settings):
    """Equations of state, and the curves of mass and radius that they give."""

    train: PositiveInt = Field(4000, description="equations of state that models are trained with")
    validation: PositiveInt = Field(200, description="of the validation part")
    test: Annotated[int, Field(ge=2)] = Field(500, description="of the test part: one set of stars each and condition")
    grid: tuple[Annotated[int, Field(ge=4)], Annotated[int, Field(ge=4)]] = Field(
        (48, 24), description="cells of the box in lambda_1 and lambda_2, on which posteriors are evaluated"
    )
    points: Annotated[int, Field(ge=16)] = Field(64, description="points of a curve, straight lines between them")
    steps: Annotated[int, Field(ge=24)] = Field(96, description="steps in enthalpy through the core of a star")


@final
class Noise(Settings):
    """Standard deviations of Gaussian noise on the observed mass and radius of a star."""

    mass: PositiveFloat = Field(description="[solar masses]")
    radius: PositiveFloat = Field(description="[km]")


@final
class Condition(Settings):
    """What is observed: how many stars of one equation of state, and how well."""

    stars: PositiveInt
    noise: Noise

    @property
    def key(self) -> str:
        """Name in tables and files."""
        return f"{self._stars} {self.noise.mass:g} Msun {self.noise.radius:g} km"

    @property
    def words(self) -> str:
        """Name in figures and texts."""
        return f"{self._stars} with noise of {self.noise.mass:g} solar masses and {self.noise.radius:g} km"

    @property
    def _stars(self) -> str:
        return "1 star" if self.stars == 1 else f"{self.stars} stars"


@final
class StarSettings(Settings):
    """Sets of observed stars."""

    numbers: Annotated[tuple[PositiveInt, ...], Field(min_length=1), Different] = Field(
        (1, 3, 10), description="stars of a set; trainings draw one of them for each set"
    )
    noise: Annotated[tuple[Noise, ...], Field(min_length=1), Different] = Field(
        description="levels of noise; trainings draw one of them for each set",
    )
    reference: Condition = Field(
        description="condition that figures show and that the study answers for",
    )
    every_pair: bool = Field(
        False,
        description="test every number with every noise, and not just each number with the noise of the reference and "
        "each noise with its number",
    )

    @model_validator(mode="after")
    def _reference_is_among_them(self) -> Self:
        if self.reference.stars not in self.numbers or self.reference.noise not in self.noise:
            raise ValueError("reference: its number and its noise must be among 'numbers' and 'noise'")
        return self

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of the test: the scan over stars, then that over noise."""
        return tuple(
            Condition(stars=stars, noise=noise)
            for noise in self.noise
            for stars in self.numbers
            if self.every_pair or stars == self.reference.stars or noise == self.reference.noise
        )


@final
class StarModelSettings(TrainableSettings):
    """What one training needs."""

    network: StarNetwork
    stars: StarSettings


@final
class StarModel(TrainableSettings):
    """A model of the study."""

    title: str
    network: StarNetwork
    seeds: Seeds | None = Field(None, description="one training per seed; by default those of the study")


@final
class EvaluationSettings(Settings):
    """How estimates are judged, and the reference that has a choice."""

    bootstraps: Annotated[int, Field(ge=2)] = Field(200, description="resamplings behind each uncertainty")
    ridge_penalty: PositiveFloat = Field(1.0, description="of the ridge regression, on standardised features")


@final
class MeasurementSettings(Settings):
    """What the estimates of references and the metrics need."""

    stars: StarSettings
    evaluation: EvaluationSettings


@final
class NeutronStarsSettings(Settings):
    """The study of neutron stars: an equation of state from the masses and radii of a few stars."""

    curves: CurveSettings = CurveSettings()
    stars: StarSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    seeds: Seeds = Field(description="one training per model and seed")
    network: Mapping[str, Any] | None = Field(
        None, description="recipe: keys of the networks of all models of its kind"
    )
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, StarModel] = Field(min_length=1)
    threads: PositiveInt = Field(1, description="threads of one training or estimation")

    @model_validator(mode="after")
    def _curves_are_finer_than_the_noise(self) -> Self:
        for name, unit in (("mass", "solar masses"), ("radius", "km")):
            smallest = min(getattr(noise, name) for noise in self.stars.noise)
            if smallest * self.curves.points < _POINTS_PER_NOISE:
                raise ValueError(
                    f"curves.points: for noise of {smallest:g} {unit} at least {ceil(_POINTS_PER_NOISE / smallest)}"
                )
        return self

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        taken = sorted({"constant", "ridge", "exact"} & set(self.models))
        if taken:
            raise ValueError(f"models.{taken[0]}: a reference has that name")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model."""
        return self.models[model].seeds or self.seeds

    @property
    def measurement(self) -> MeasurementSettings:
        """What judges all methods alike, whatever is trained."""
        return MeasurementSettings(stars=self.stars, evaluation=self.evaluation)

    def trained(self, model: str) -> StarModelSettings:
        """Return what decides the weights of a model."""
        chosen = self.models[model]
        return StarModelSettings(network=chosen.network, stars=self.stars, training=chosen.training)
