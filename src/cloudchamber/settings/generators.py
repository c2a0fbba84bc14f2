"""Settings of generative models: what they are made of, training, sampling."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveInt, Seeds, Settings
from cloudchamber.settings.networks import EpicGanSettings, EpicSettings, NetworkSettings
from cloudchamber.settings.objectives import AdversarialSettings, ObjectiveSettings
from cloudchamber.settings.training import TrainableSettings

__all__ = [
    "EVALUATIONS_PER_STEP",
    "GeneratorSettings",
    "MarginalsModel",
    "MomentumSum",
    "SamplerSettings",
    "Solver",
    "TrainedModel",
    "refuse_none",
]


Solver = Literal["euler", "midpoint", "heun", "rk4", "euler_maruyama", "ddim", "dpm_solver", "flow_map", "one_step"]

# Evaluations of the network per step of each solver.
EVALUATIONS_PER_STEP: Mapping[Solver, int] = {
    "euler": 1,
    "midpoint": 2,
    "heun": 2,
    "rk4": 4,
    "euler_maruyama": 1,
    "ddim": 1,
    "dpm_solver": 1,
    "flow_map": 1,
    "one_step": 1,
}

MomentumSum = Annotated[
    Literal["imposed", "free"],
    Field(
        description="transverse momentum of the sum of the particles of a jet: imposed by rescaling the jet to the one"
        " that is drawn for it together with its pT, mass and multiplicity, or whatever the particles add up to"
    ),
]


@final
class SamplerSettings(Settings):
    """How to draw from a trained model."""

    solver: Solver
    evaluations: PositiveInt = Field(description="network evaluations per jet")
    precision: Literal["float32", "bfloat16"] = "float32"
    momentum_sum: MomentumSum = "imposed"

    @model_validator(mode="after")
    def _whole_steps(self) -> Self:
        per_step = EVALUATIONS_PER_STEP[self.solver]
        if self.evaluations % per_step:
            raise ValueError(f"{self.solver} takes {per_step} evaluations per step; evaluations must be a multiple")
        if self.solver == "one_step" and self.evaluations != 1:
            raise ValueError("one_step takes one evaluation")
        return self


class _Generator(TrainableSettings, ABC):
    """Abstract: what makes the weights of a generative model."""

    network: NetworkSettings = EpicSettings()
    objective: ObjectiveSettings
    conditions: tuple[Literal["jet_pt", "jet_mass"], ...] = ()

    @model_validator(mode="after")
    def _network_suits_the_objective(self) -> Self:
        if isinstance(self.network, EpicGanSettings) != isinstance(self.objective, AdversarialSettings):
            raise ValueError("the network epic_gan and the adversarial objective need each other")
        if isinstance(self.objective, AdversarialSettings) and self.training.keep == "best":
            raise ValueError("training.keep: losses of an adversarial training do not say which weights are best")
        return self


@final
class GeneratorSettings(_Generator):
    """What one training needs: the model without its title and samplers, which come after it."""

    flow_map_segments: PositiveInt | None = Field(
        None, description="of a flow map: the largest number of steps it was distilled for; not there otherwise"
    )


def refuse_none(samplers: Mapping[str, SamplerSettings]) -> None:
    """Refuse the name of the sampler of models that have none.

    Raises:
        ValueError: a sampler is called so.
    """
    if "none" in samplers:
        raise ValueError("samplers: 'none' is the sampler of models that are not trained")


@final
class TrainedModel(_Generator):
    """A generative model: network, objective and conditions, trained and sampled."""

    kind: Literal["trained"]
    title: str
    seeds: Seeds | None = Field(None, description="one training per seed; by default those of the study")
    samplers: Mapping[Name, SamplerSettings] = Field(
        min_length=1, description="the first one competes for the posterior"
    )

    @model_validator(mode="after")
    def _solvers_suit_the_objective(self) -> Self:
        adversarial = isinstance(self.objective, AdversarialSettings)
        refuse_none(self.samplers)
        for name, sampler in self.samplers.items():
            if sampler.solver == "flow_map":
                raise ValueError(f"samplers.{name}: flow_map samples models of the kind flow_map")
            if adversarial and sampler.solver != "one_step":
                raise ValueError(f"samplers.{name}: an adversarial model is sampled by one_step")
        return self

    @property
    def generator(self) -> GeneratorSettings:
        """The part that decides the weights."""
        return GeneratorSettings(**{name: getattr(self, name) for name in _Generator.model_fields})


@final
class MarginalsModel(Settings):
    """Zero-skill baseline: every particle drawn independently from the training particles."""

    kind: Literal["marginals"]
    title: str
    seeds: Seeds | None = Field(None, description="one draw per seed; by default those of the study")
    momentum_sum: MomentumSum = "imposed"
