"""Settings of the assignment study."""

import os
from collections.abc import Mapping
from itertools import pairwise
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
from cloudchamber.settings.training import TrainableSettings, needs_one_process
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR, EventTopology

__all__ = [
    "AssignmentLossSettings",
    "AssignmentModel",
    "AssignmentNetworkSettings",
    "AssignmentSettings",
    "AssignmentTrainingSettings",
    "ChiSquareForm",
    "ChiSquareSettings",
    "CostSettings",
    "EvaluationSettings",
    "LearningCurveSettings",
    "PartSettings",
    "PublishedEventsSettings",
]

ChiSquareForm = Literal["equal_masses", "top_mass"]
Probability = Annotated[float, Field(ge=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


@final
class PartSettings(Settings):
    """How the events of a sample become parts: training, validation and test, once or in folds."""

    topology: EventTopology = ALL_HADRONIC_TOP_PAIR
    train: Fraction = Field(0.6, description="share of the events to train on")
    validation: Fraction = Field(0.05, description="share of the events whose loss is watched while training")
    folds: Annotated[int, Field(ge=2)] | None = Field(
        None, description="instead of one test part: as many, by the position in the file; each event is in one of them"
    )
    test_only: bool = Field(False, description="all events are test events")

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train + validation must be below 1, the rest is the test part")
        return self


@final
class ChiSquareSettings(Settings):
    """Masses and widths of the chi-square; those of the published code by default (arXiv 2010.09206)."""

    w_mass: PositiveFloat = Field(81.3, description="reconstructed mass of the W [GeV]")
    w_width: PositiveFloat = Field(12.3, description="its resolution [GeV]")
    top_mass: PositiveFloat = Field(172.7, description="mass of the top in the form top_mass [GeV]")
    top_width: PositiveFloat = Field(26.3, description="resolution of the mass of the top [GeV]")


@final
class AssignmentNetworkSettings(Settings):
    """Symmetric tensor attention (SPAtter, arXiv 2010.09206; SPANet, arXiv 2106.03898).

    The sizes of the release are ``embedding: [8, 16, 32, 64, 128]``, ``normalisation: batch``, six encoder layers, four
    dense blocks and four layers a branch, and a full tensor: 5,735,560 parameters with two tops.
    """

    kind: Literal["spatter"] = "spatter"
    inputs: Literal["published", "turned"] = Field(
        "turned",
        description="of a jet: log pt, eta, phi, log mass, b-tag; or with sine and cosine of the azimuth relative to "
        "the hardest jet in place of phi, so that events can be turned about the beam",
    )
    embedding: Widths = Field(
        (64,), description="widths of the embedding of a jet; the last is the width of all layers"
    )
    normalisation: Literal["layer", "batch"] = Field("layer", description="normalisation in embedding and dense blocks")
    heads: PositiveInt = 4
    feed_forward: PositiveInt = Field(128, description="inner width of the feed-forward part of a layer")
    encoder_layers: PositiveInt = Field(3, description="layers that all particles share")
    branch_dense: Annotated[int, Field(ge=0)] = Field(0, description="dense blocks of each branch, before its layers")
    branch_layers: Annotated[int, Field(ge=0)] = Field(1, description="layers of each branch")
    pairs: bool = Field(
        False, description="add to attention scores what a small network makes of the mass and distance of two jets"
    )
    tensor: Literal["full", "low_rank"] = Field(
        "low_rank", description="attention among the jets of a particle: one full tensor, or a product of linear maps"
    )
    rank: PositiveInt = Field(64, description="of the low-rank form")
    detection: bool = Field(True, description="an output that says whether each particle has its jets (SPANet v2)")
    dropout: Probability = 0.0

    @model_validator(mode="after")
    def _heads_divide_the_width(self) -> Self:
        if self.embedding[-1] % self.heads:
            raise ValueError(f"the last width of embedding must be a multiple of the {self.heads} heads")
        return self


@final
class AssignmentLossSettings(Settings):
    """What the network is trained to do, and on which events."""

    events: Literal["complete", "partial"] = Field(
        "partial", description="events with all particles identifiable, or all with at least one"
    )
    balanced: bool = Field(
        True, description="partial events: each number of identifiable particles counts alike in sum"
    )
    detection: Annotated[float, Field(ge=0)] = Field(0.1, description="weight of the detection outputs in the loss")
    repulsion: Annotated[float, Field(ge=0)] = Field(
        0.0, description="weight of the cross-entropy that keeps equivalent branches apart; 0.2 in the release"
    )
    mirrored: bool = Field(True, description="mirror eta and phi of training events at random")


@final
class AssignmentTrainingSettings(TrainableSettings):
    """What makes the weights of one network."""

    network: AssignmentNetworkSettings = AssignmentNetworkSettings()
    loss: AssignmentLossSettings = AssignmentLossSettings()
    topology: EventTopology = ALL_HADRONIC_TOP_PAIR

    @model_validator(mode="after")
    def _batch_normalisation_needs_one_process(self) -> Self:
        if self.network.normalisation == "batch":
            needs_one_process(self.training)
        return self


@final
class AssignmentModel(TrainableSettings):
    """A network that is compared with the chi-square."""

    title: str
    network: AssignmentNetworkSettings = AssignmentNetworkSettings()
    loss: AssignmentLossSettings = AssignmentLossSettings()
    seeds: Seeds | None = Field(None, description="trainings; by default those of the study")
    folds: bool = Field(True, description="train it also on the published events, where they are given")


@final
class PublishedEventsSettings(Settings):
    """The events that come with SPANet, a second sample: read where the file is there."""

    title: str = "events shipped with SPANet"
    file: str = Field(
        "$CLOUDCHAMBER_SPANET_EVENTS",
        description="HDF5 file in the layout of SPANet; $NAME is a variable of the environment, which names no file "
        "where it is not set",
    )
    folds: Annotated[int, Field(ge=2)] = Field(5, description="trainings, each tested on a part of the file")

    @property
    def path(self) -> str | None:
        """The file, with what the environment says in place of a variable; None where that is not set."""
        path = os.path.expandvars(self.file)
        return None if "$" in path else path


@final
class LearningCurveSettings(Settings):
    """Trainings with parts of the training events."""

    model: Name = Field(description="which network")
    complete_events: Annotated[tuple[PositiveInt, ...], Different] = Field(
        min_length=1, description="training events with all particles identifiable; the others come in proportion"
    )
    seeds: Seeds | None = Field(None, description="trainings of each size; by default those of the model")


@final
class EvaluationSettings(Settings):
    """How assignments are judged."""

    top_pt_edges: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=2)] = Field(
        (0.0, 75.0, 150.0, 225.0, 300.0, 500.0), description="bins of the transverse momentum of the true top [GeV]"
    )
    w_masses: Window = Field((0.0, 240.0), description="histogram of the reconstructed W mass [GeV]")
    top_masses: Window = Field((0.0, 480.0), description="histogram of the reconstructed top mass [GeV]")
    mass_bins: PositiveInt = 40
    signal_window: Window = Field((130.0, 220.0), description="top masses that look like a top [GeV]")
    calibration_bins: PositiveInt = 10

    @model_validator(mode="after")
    def _edges_rise(self) -> Self:
        if any(low >= high for low, high in pairwise(self.top_pt_edges)):
            raise ValueError("top_pt_edges must rise")
        return self


@final
class CostSettings(Settings):
    """Measurement of the time of an event."""

    batch_sizes: Annotated[tuple[PositiveInt, ...], Different] = Field((1, 64), min_length=1)
    rounds: PositiveInt = 3


@final
class AssignmentSettings(Settings):
    """The study of jet-parton assignment in all-hadronic top pairs (arXiv 2010.09206, 2106.03898)."""

    title: str = "all-hadronic top pairs"
    topology: EventTopology = Field(
        ALL_HADRONIC_TOP_PAIR, description="particles of an event; the chi-square is of top pairs alone"
    )
    events: Name = Field(description="data set of events as clouds of jets, of kind jet_events")
    background: Name | None = Field(None, description="data set of the same kind without tops: sculpting of masses")
    parts: PartSettings = PartSettings()
    published: PublishedEventsSettings | None = None
    chi_square: ChiSquareSettings = ChiSquareSettings()
    seeds: Seeds = Field(description="one training per model and seed")
    network: Mapping[str, Any] | None = Field(None, description="recipe: keys of the networks of all models")
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, AssignmentModel] = Field(min_length=1)
    learning_curve: LearningCurveSettings | None = None
    evaluation: EvaluationSettings = EvaluationSettings()
    cost: CostSettings | None = Field(None, description="measure the time of an event")
    attention_events: PositiveInt = Field(3, description="events whose attention is drawn")
    export: bool = Field(False, description="write the first training of each model as ONNX as well")

    @model_validator(mode="after")
    def _learning_model_exists(self) -> Self:
        curve = self.learning_curve
        if curve is not None and curve.model not in self.models:
            raise ValueError(f"learning_curve.model: no model '{curve.model}' among {sorted(self.models)}")
        return self

    @model_validator(mode="after")
    def _chi_square_applies(self) -> Self:
        if not self.topology.is_all_hadronic_top_pair:
            raise ValueError("topology: the study compares with the chi-square of all-hadronic top pairs")
        if self.parts.topology != self.topology or self.parts.folds is not None or self.parts.test_only:
            raise ValueError("parts: only train and validation can be set")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model."""
        return self.models[model].seeds or self.seeds

    def training_of(self, model: str) -> AssignmentTrainingSettings:
        """Return what makes the weights of one model."""
        settings = self.models[model]
        return AssignmentTrainingSettings(
            network=settings.network, loss=settings.loss, topology=self.topology, training=settings.training
        )
