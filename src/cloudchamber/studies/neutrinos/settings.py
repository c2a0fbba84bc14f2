"""Settings of the neutrino study: beam, detector, models, how they are judged."""

from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Fraction, Name, PositiveFloat, PositiveInt, Seeds, Settings, Share
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.neutrinos.network_settings import (
    LossSettings,
    NeutrinoNetworkSettings,
    NeutrinoTrainingSettings,
    VisibleTruthSettings,
)

__all__ = [
    "BeamSettings",
    "CeilingSettings",
    "DetectorSettings",
    "EvaluationSettings",
    "MapSettings",
    "NeutrinoModel",
    "NeutrinosSettings",
    "SimulationSettings",
]

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@final
class BeamSettings(Settings):
    """Neutrinos on free protons at rest: deep inelastic scattering with Pythia 8."""

    energies: Annotated[tuple[Annotated[float, Field(ge=20, le=1000)], ...], Field(min_length=2), Different] = Field(
        (30.0, 100.0), description="energies of the neutrino [GeV]; below 20 GeV Pythia gives up many events"
    )
    q2_min: Annotated[float, Field(ge=1)] = Field(1.0, description="smallest momentum transfer squared [GeV^2]")
    w_min: Annotated[float, Field(ge=1.5)] = Field(2.0, description="smallest mass of the hadrons [GeV]")
    events: PositiveInt = Field(description="in all, dealt out to interactions and energies as evenly as it goes")
    shards: PositiveInt = Field(1, description="raw files; each is a job of its own")


@final
class DetectorSettings(Settings):
    """A toy detector: planes of iron, each with strips in x and in y, taken as a homogeneous mixture."""

    planes: PositiveInt = Field(140, description="planes along the beam")
    cells: PositiveInt = Field(120, description="strips of a plane in each view")
    plane_pitch: PositiveFloat = Field(6.0, description="[cm]")
    cell_width: PositiveFloat = Field(4.0, description="[cm]")
    density: PositiveFloat = Field(3.45, description="mean density of the mixture [g/cm^3]")
    radiation_length: PositiveFloat = Field(4.1, description="[cm]")
    interaction_length: PositiveFloat = Field(38.0, description="of hadrons [cm]")
    moliere_radius: PositiveFloat = Field(3.7, description="[cm]")
    first_vertex: PositiveInt = Field(20, description="first plane in which neutrinos interact")
    last_vertex: PositiveInt = Field(60, description="last plane in which neutrinos interact")
    vertex_reach: NotNegative = Field(60.0, description="largest distance of a vertex from the axis in x and y [cm]")
    vertex_smearing: NotNegative = Field(
        1.0, description="error of the reconstructed vertex, in planes along z and in cells across"
    )
    photoelectrons: PositiveFloat = Field(
        8.0, description="of a minimum ionising particle that crosses a plane along z, in each view"
    )
    threshold: NotNegative = Field(0.3, description="energy of a hit [minimum ionising particles in a plane]")
    noise_hits: NotNegative = Field(5.0, description="mean number of hits without a particle, in each view")
    merge_angle: NotNegative = Field(8.0, description="a prong closer than this to a brighter one is part of it [deg]")
    prong_hits: PositiveInt = Field(4, description="a prong with fewer hits in both views together is lost")
    lost_prongs: Share = Field(0.05, description="share of the other prongs that is not found either")
    lost_neutrons: Share = Field(0.6, description="share of the neutrons that leave nothing")

    @model_validator(mode="after")
    def _vertices_lie_inside(self) -> Self:
        if not self.first_vertex <= self.last_vertex < self.planes:
            raise ValueError("first_vertex must not lie behind last_vertex, nor that behind the planes")
        return self


@final
class SimulationSettings(Settings):
    """What raw files hold."""

    beam: BeamSettings
    detector: DetectorSettings = DetectorSettings()


@final
class MapSettings(Settings):
    """The window about the reconstructed vertex that clouds and maps show, and the parts of the events."""

    planes: PositiveInt = Field(100, description="planes of the window")
    cells: PositiveInt = Field(80, description="cells of the window in each view")
    upstream: PositiveInt = Field(10, description="planes of the window before the vertex")
    prongs: PositiveInt = Field(6, description="as many of the prongs with most energy are kept")
    train: Fraction = Field(0.7, description="share of the events to train on")
    validation: Fraction = Field(0.05, description="share of the events whose loss is watched while training")

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train + validation must be below 1, the rest is the test part")
        if self.upstream >= self.planes:
            raise ValueError("upstream must be less than the planes of the window")
        return self


@final
class NeutrinoModel(TrainableSettings):
    """A network that names interactions and prongs."""

    title: str
    network: NeutrinoNetworkSettings
    loss: LossSettings = LossSettings()
    seeds: Seeds | None = Field(None, description="trainings; by default those of the study")

    @model_validator(mode="after")
    def _is_no_ceiling(self) -> Self:
        if isinstance(self.network, VisibleTruthSettings):
            raise ValueError("network.kind: true prongs are what the ceiling sees (neutrinos.ceiling)")
        return self


@final
class CeilingSettings(TrainableSettings):
    """The classifier of true visible prongs, beside which learned numbers stand."""

    network: VisibleTruthSettings = VisibleTruthSettings()
    loss: LossSettings = LossSettings()
    seeds: Seeds | None = Field(None, description="trainings; by default those of the study")


@final
class EvaluationSettings(Settings):
    """How interactions and prongs are judged."""

    bootstraps: Annotated[int, Field(ge=2)] = Field(100, description="resamplings of the test events")
    energy_edges: Annotated[tuple[NotNegative, ...], Field(min_length=2)] = Field(
        (0.0, 8.0, 16.0, 32.0, 64.0, 128.0),
        description="bins of the visible energy [GeV], of efficiencies and purities; events beyond them are in none",
    )
    histogram_bins: Annotated[int, Field(ge=2)] = Field(
        12, description="bins of length and energy of the baseline, with equal numbers of training events"
    )
    calibration_bins: PositiveInt = 10
    display_events: PositiveInt = Field(3, description="test events whose hits and attention are drawn")

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        if any(low >= high for low, high in zip(self.energy_edges, self.energy_edges[1:], strict=False)):
            raise ValueError("energy_edges must rise")
        return self


@final
class NeutrinosSettings(Settings):
    """The study of neutrino interactions in two views (after arXiv 2303.06201), on a stand-in."""

    title: str = "neutrinos in two views"
    simulation: SimulationSettings
    maps: MapSettings = MapSettings()
    seeds: Seeds = Field(description="one training per model and seed")
    network: Mapping[str, Any] | None = Field(None, description="recipe: keys of the networks of all models")
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, NeutrinoModel] = Field(min_length=1)
    ceiling: CeilingSettings
    reference: Name | None = Field(
        None, description="model without context; the others are compared with it, event by event"
    )
    threads: PositiveInt = Field(1, description="of a training, and of the step that classifies")
    evaluation: EvaluationSettings = EvaluationSettings()

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        for taken in ("ceiling", "histogram"):
            if taken in self.models:
                raise ValueError(f"models.{taken}: the name is taken")
        if self.reference is not None and self.reference not in self.models:
            raise ValueError(f"reference: no model '{self.reference}' among {sorted(self.models)}")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model, or of the ceiling."""
        own = self.ceiling.seeds if model == "ceiling" else self.models[model].seeds
        return own or self.seeds

    def training_of(self, model: str) -> NeutrinoTrainingSettings:
        """Return what makes the weights of one model, or of the ceiling."""
        chosen = self.ceiling if model == "ceiling" else self.models[model]
        return NeutrinoTrainingSettings(network=chosen.network, loss=chosen.loss, training=chosen.training)
