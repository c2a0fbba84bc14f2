"""Settings of the study of showers."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import (
    Different,
    Fraction,
    Name,
    PositiveFloat,
    PositiveInt,
    Seeds,
    Settings,
    Window,
)
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings, Solver
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.showers.names import GeometryName, SpeciesName

__all__ = [
    "AllShowersNetwork",
    "ClassifierSettings",
    "CountSettings",
    "EvaluationSettings",
    "FileSource",
    "FlowMapModel",
    "GunSettings",
    "IngestionSettings",
    "JudgeSettings",
    "MapSettings",
    "MarginalsModel",
    "ParametrisedModel",
    "ParametrisedSource",
    "ShowerModel",
    "ShowerModelSettings",
    "ShowerSampler",
    "ShowersSettings",
    "TimesSettings",
]

Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


@final
class GunSettings(Settings):
    """Which particles begin showers: one each, into the middle of the surface of the stack."""

    species: Annotated[tuple[SpeciesName, ...], Field(min_length=1), Different] = Field(
        description="species, in equal numbers"
    )
    energy: Window = Field(description="lowest and highest total energy [GeV]")
    spectrum: Literal["uniform", "logarithmic"] = Field("uniform", description="uniform in the energy or its logarithm")
    theta_max: Annotated[float, Field(ge=0, lt=80)] = Field(
        0.0, description="directions are uniform in a cap up to this angle from the normal [degrees]"
    )
    showers: PositiveInt = Field(description="of all species together")
    shards: PositiveInt = Field(1, description="files, each made by a job of its own")


@final
class ParametrisedSource(Settings):
    """Showers of the parametrisation of this study, whose truth is known."""

    kind: Literal["parametrised"]
    gun: GunSettings


@final
class FileSource(Settings):
    """Showers that are there."""

    kind: Literal["files"]
    layout: Literal["edm4hep", "showerdata", "calo_challenge", "calo_clouds"] = Field(
        description="EDM4hep in ROOT; HDF5 of the package showerdata, of CaloChallenge, of CaloClouds and CaloHadronic"
    )
    title: str = Field(description="what figures call them")
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    pdg: int | None = Field(None, description="PDG code of all showers, for layouts that have none")
    binning: Literal["1_photons", "1_pions", "2", "3"] | None = Field(
        None, description="CaloChallenge: which data set's voxels"
    )
    within_voxels: Literal["centre", "uniform"] = Field(
        "uniform", description="CaloChallenge: where in its voxel a point lies"
    )

    @model_validator(mode="after")
    def _layout_has_what_it_needs(self) -> Self:
        if self.layout == "calo_challenge" and self.binning not in ("2", "3"):
            raise ValueError("binning: showers of CaloChallenge are read from its data sets 2 and 3")
        if self.layout in ("calo_challenge", "calo_clouds") and self.pdg is None:
            raise ValueError(f"pdg: files of {self.layout} do not say what began the showers")
        return self


ShowerSource = Annotated[ParametrisedSource | FileSource, Field(discriminator="kind")]


@final
class IngestionSettings(Settings):
    """How steps of particles become points of showers."""

    collections: Annotated[tuple[str, ...], Field(min_length=1), Different] = Field(
        ("EcalBarrelCollection", "HcalBarrelCollection"),
        description="EDM4hep: collections of calorimeter hits whose contributions are read",
    )
    depth_axis: Literal["x", "y", "z"] = Field(
        "z", description="EDM4hep: axis of the file along which the layers follow each other; the two others follow it "
        "in cyclic order"
    )  # fmt: skip
    half_width: PositiveFloat = Field(450.0, description="steps further from the axis in x or y are left out [mm]")
    merge: PositiveFloat = Field(1.0, description="steps in squares of this width become one point [mm]")
    threshold: Annotated[float, Field(ge=0)] = Field(0.01, description="least energy of a point [MeV]")
    train: Fraction = Field(0.6, description="share of the showers that models are trained with")
    validation: Fraction = Field(0.05, description="share on which the loss of trainings is watched")

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train and validation leave nothing for the test")
        return self


@final
class AllShowersNetwork(Settings):
    """The transformer of arXiv 2601.11716; the values by default are the published sizes."""

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

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of the {self.heads} heads")
        return self


@final
class ShowerModelSettings(TrainableSettings):
    """What makes the weights of one training of a model of points."""

    network: AllShowersNetwork
    pairing: Literal["layers", "showers", "independent"] = Field(
        "layers",
        description="noise of a point: assigned at least cost within each layer of a shower, within the shower, or any",
    )
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    species: tuple[SpeciesName, ...] = Field((), description="species it is trained with; none for all that are there")
    memory: PositiveInt = Field(2000, description="training points up to this size are kept in memory [MB]")


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
class ShowerModel(TrainableSettings):
    """A flow of points, trained and sampled."""

    kind: Literal["trained"]
    title: str
    network: AllShowersNetwork
    pairing: Literal["layers", "showers", "independent"] = "layers"
    sigma_min: Annotated[float, Field(ge=0, lt=1)] = 1e-4
    one_for: Literal["all", "species"] = Field("all", description="one network for all species, or one for each")
    memory: PositiveInt = Field(2000, description="training points up to this size are kept in memory [MB]")
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


@final
class ClassifierSettings(TrainableSettings):
    """A classifier of showers."""

    hidden: Widths = (64, 64)


@final
class JudgeSettings(Settings):
    """Classifiers that tell truth from models."""

    features: ClassifierSettings = Field(description="on high-level features")
    points: ClassifierSettings | None = Field(None, description="a deep set on the cells themselves")
    species: bool = Field(True, description="where there are several: tell the species of generated showers")


@final
class EvaluationSettings(Settings):
    """How generated showers are compared with true ones."""

    energy_edges: Annotated[tuple[PositiveFloat, ...], Field(min_length=2)] | None = Field(
        None, description="bins of the incident energy [GeV]; by default three of equal width"
    )
    bins: Annotated[int, Field(ge=2)] = Field(20, description="of histograms and of the divergence")
    bootstraps: Annotated[int, Field(ge=2)] = Field(100, description="resamplings behind each uncertainty")
    physics_distance_showers: PositiveInt = Field(10000, description="FPD and KPD are computed from so many showers on")


@final
class TimesSettings(Settings):
    """Measurement of the time of a shower."""

    showers: PositiveInt = Field(16, description="showers drawn at once, for each energy")
    rounds: PositiveInt = 3


@final
class ShowersSettings(Settings):
    """The study of calorimeter showers: one model for all species (arXiv 2601.11716)."""

    title: str = "showers"
    geometry: GeometryName = Field("ild_like", description="the stack of layers")
    source: ShowerSource
    ingestion: IngestionSettings = IngestionSettings()
    seeds: Seeds = Field(description="one training per model and seed")
    network: Mapping[str, Any] | None = Field(None, description="recipe: keys of the networks of all models")
    training: Mapping[str, Any] | None = Field(
        None, description="recipe: keys of the trainings of all models of points"
    )
    counts: CountSettings = Field(description="the flow of the numbers of points per layer, shared by all models")
    models: Mapping[Name, Model] = Field(min_length=1)
    judge: JudgeSettings
    evaluation: EvaluationSettings = EvaluationSettings()
    times: TimesSettings | None = Field(None, description="measure the time of a shower")
    threads: PositiveInt = Field(1, description="threads of one training or sampling")

    @model_validator(mode="after")
    def _teachers_exist(self) -> Self:
        for name, model in self.models.items():
            if not isinstance(model, FlowMapModel):
                continue
            teacher = self.models.get(model.teacher)
            if not isinstance(teacher, ShowerModel) or teacher.one_for != "all":
                raise ValueError(f"models.{name}.teacher: '{model.teacher}' is no trained model of all species")
            if not set(self.seeds_of(name)) <= set(self.seeds_of(model.teacher)):
                raise ValueError(f"models.{name}.seeds: the teacher has no training of some of them")
        return self

    @model_validator(mode="after")
    def _geometry_is_that_of_the_layout(self) -> Self:
        voxels = isinstance(self.source, FileSource) and self.source.layout == "calo_challenge"
        if voxels and self.geometry != "calo_challenge":
            raise ValueError("geometry: showers of CaloChallenge are in its own: calo_challenge")
        return self

    @model_validator(mode="after")
    def _truth_is_no_model(self) -> Self:
        for name in ("truth", "counts"):
            if name in self.models:
                raise ValueError(f"models.{name}: the name is taken")
        return self

    @model_validator(mode="after")
    def _maps_have_maps(self) -> Self:
        for name, model in self.models.items():
            if isinstance(model, ShowerModel | FlowMapModel):
                for key, sampler in model.samplers.items():
                    if (sampler.solver == "flow_map") != isinstance(model, FlowMapModel):
                        raise ValueError(f"models.{name}.samplers.{key}: flow maps, and they alone, take flow_map")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model; what is not trained has those of the study."""
        chosen = self.models[model]
        if isinstance(chosen, FlowMapModel):
            return chosen.seeds or self.seeds_of(chosen.teacher)
        return (chosen.seeds if isinstance(chosen, ShowerModel) else None) or self.seeds

    def trained(self, model: str, species: tuple[SpeciesName, ...]) -> ShowerModelSettings:
        """Return what decides the weights of a flow of points that is trained with some species, or with all."""
        chosen = self.models[model]
        assert isinstance(chosen, ShowerModel)
        return ShowerModelSettings(
            network=chosen.network,
            pairing=chosen.pairing,
            sigma_min=chosen.sigma_min,
            species=species,
            memory=chosen.memory,
            training=chosen.training,
        )

    def mapped(self, model: str) -> MapSettings:
        """Return what decides the weights of a flow map."""
        chosen = self.models[model]
        assert isinstance(chosen, FlowMapModel)
        return MapSettings(**{name: getattr(chosen, name) for name in MapSettings.model_fields})
