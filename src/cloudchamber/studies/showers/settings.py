"""Settings of the study of showers; those of its sources and models are in modules of their own."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.showers.model_settings import (
    CountSettings,
    FlowMapModel,
    MapSettings,
    Model,
    ShowerModel,
    ShowerModelSettings,
    Widths,
)
from cloudchamber.studies.showers.names import GeometryName, SpeciesName
from cloudchamber.studies.showers.source_settings import FileSource, IngestionSettings, ShowerSource

__all__ = ["ClassifierSettings", "EvaluationSettings", "JudgeSettings", "ShowersSettings", "TimesSettings"]


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
    def _arms_have_references(self) -> Self:
        for name, model in self.models.items():
            other = model.ablates if isinstance(model, ShowerModel) else None
            if other is not None and (other == name or not isinstance(self.models.get(other), ShowerModel)):
                raise ValueError(f"models.{name}.ablates: '{other}' is no other trained model")
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
        own = {name: getattr(chosen, name) for name in ShowerModelSettings.model_fields if name != "species"}
        return ShowerModelSettings(species=species, **own)

    def mapped(self, model: str) -> MapSettings:
        """Return what decides the weights of a flow map."""
        chosen = self.models[model]
        assert isinstance(chosen, FlowMapModel)
        return MapSettings(**{name: getattr(chosen, name) for name in MapSettings.model_fields})
