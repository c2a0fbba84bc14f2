"""Settings of the models of the study, of their trainings and samplers."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import Name, PositiveInt, Seeds, Settings
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings, Solver
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.showers.names import SpeciesName

__all__ = [
    "AllShowersNetwork",
    "CountSettings",
    "FlowMapModel",
    "MapSettings",
    "MarginalsModel",
    "Model",
    "ParametrisedModel",
    "ShowerModel",
    "ShowerModelSettings",
    "ShowerSampler",
    "Widths",
]

Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


@final
class AllShowersNetwork(Settings):
    """The transformer of arXiv 2601.11716.

    The values by default are the published sizes.
    """

    kind: Literal["allshowers"]
    width: PositiveInt = 64
    heads: PositiveInt = 4
    layers: PositiveInt = Field(4, description="blocks")
    feed_forward: PositiveInt = 256
    counts_hidden: PositiveInt = Field(512, description="inner width of the network of the numbers of points per layer")
    window: Annotated[int, Field(ge=0)] = Field(
        2, description="layers on each side that a point attends to, its own beside them; all from their number on"
    )
    layer_embedding: bool = Field(True, description="whether points know their layer by a learned vector")
    output_projection: bool = Field(False, description="a linear map after the heads, which the published code lacks")

    _heads_divide = heads_divide("width")


class _Flow(TrainableSettings, ABC):
    """Abstract: network, objective and loop of a flow of points."""

    network: AllShowersNetwork
    pairing: Literal["layers", "showers", "independent"] = Field(
        "layers",
        description="noise of a point: assigned at least cost within each layer of a shower, within the shower, or any",
    )
    core_radius: Annotated[float, Field(gt=0)] | None = Field(
        1.0,
        description="distances r to the axis enter as ln(1 + r / core_radius); null: as they are, as published [mm]",
    )
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    memory: PositiveInt = Field(2000, description="training points up to this size are kept in memory [MB]")


@final
class ShowerModelSettings(_Flow):
    """What makes the weights of one training of a model of points."""

    species: tuple[SpeciesName, ...] = Field((), description="species it is trained with; none for all that are there")


@final
class CountSettings(TrainableSettings):
    """PointCountFM: the flow of the numbers of points per layer; the values by default are the published sizes."""

    hidden: Widths = (128, 256, 512, 256, 128)
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    solver: Solver = "heun"
    evaluations: PositiveInt = 100


@final
class ShowerSampler(Settings):
    """How showers are drawn from a model of points."""

    solver: Solver = "midpoint"
    evaluations: PositiveInt = Field(32, description="network evaluations per shower")
    counts: Literal["model", "truth"] = Field(
        "model", description="numbers of points per layer: drawn from PointCountFM, or those of true showers"
    )

    @property
    def settings(self) -> SamplerSettings:
        """The same for the shared sampler."""
        return SamplerSettings(solver=self.solver, evaluations=self.evaluations)

    @model_validator(mode="after")
    def _solver_takes_them(self) -> Self:
        _ = self.settings
        return self


Samplers = Annotated[Mapping[Name, ShowerSampler], Field(min_length=1)]


@final
class ShowerModel(_Flow):
    """A flow of points, trained and sampled."""

    kind: Literal["trained"]
    title: str
    one_for: Literal["all", "species"] = Field("all", description="one network for all species, or one for each")
    ablates: Name | None = Field(None, description="arm of an ablation: the model that it is compared with")
    seeds: Seeds | None = Field(None, description="one training per seed; by default those of the study")
    samplers: Samplers = Field(description="the first one is shown in figures")


class _Map(TrainableSettings, ABC):
    """Abstract: what makes the weights of a flow map."""

    segments: PositiveInt = Field(8, description="the largest number of steps, a power of two")
    trajectories: PositiveInt = Field(description="drawn from the teacher")
    teacher_sampler: SamplerSettings = SamplerSettings(solver="midpoint", evaluations=32)

    @model_validator(mode="after")
    def _segments_are_halved(self) -> Self:
        if self.segments & (self.segments - 1):
            raise ValueError("segments must be a power of two")
        steps = self.teacher_sampler.evaluations // EVALUATIONS_PER_STEP[self.teacher_sampler.solver]
        if steps % self.segments:
            raise ValueError(f"teacher_sampler: its steps must be a multiple of the {self.segments} segments")
        return self


@final
class MapSettings(_Map):
    """What makes the weights of a flow map."""


@final
class FlowMapModel(_Map):
    """A map of few evaluations, distilled from another model of the study."""

    kind: Literal["flow_map"]
    title: str
    teacher: Name = Field(description="a model of the kind trained, one for all species")
    seeds: Seeds | None = Field(None, description="one training per seed; by default those of the teacher")
    samplers: Samplers


@final
class MarginalsModel(Settings):
    """Zero skill: layers have counts of random training showers of the species, and independent points."""

    kind: Literal["marginals"]
    title: str


@final
class ParametrisedModel(Settings):
    """The parametrisation, asked for the same particles: the truth of parametrised showers once more."""

    kind: Literal["parametrised"]
    title: str


Model = Annotated[ShowerModel | FlowMapModel | MarginalsModel | ParametrisedModel, Field(discriminator="kind")]
