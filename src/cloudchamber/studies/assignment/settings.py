"""Settings of the assignment study: samples, models, how they are judged."""

import os
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
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
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.assignment.network_settings import (
    AssignmentLossSettings,
    AssignmentNetworkSettings,
    AssignmentTrainingSettings,
)
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR, EventTopology

__all__ = [
    "AssignmentModel",
    "AssignmentSettings",
    "ChiSquareForm",
    "ChiSquareSettings",
    "CostSettings",
    "EvaluationSettings",
    "LearningCurveSettings",
    "PartSettings",
    "PublishedEventsSettings",
]

ChiSquareForm = Literal["equal_masses", "top_mass"]

_SHIPPED, _SHIPPED_FILE = "events shipped with SPANet", "$CLOUDCHAMBER_SPANET_EVENTS"


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
class AssignmentModel(TrainableSettings):
    """A network that is compared with the chi-square."""

    title: str
    network: AssignmentNetworkSettings = AssignmentNetworkSettings()
    loss: AssignmentLossSettings = AssignmentLossSettings()
    seeds: Seeds | None = Field(None, description="trainings; by default those of the study")
    folds: bool = Field(True, description="train it also on the published events, where they are given")


@final
class PublishedEventsSettings(Settings):
    """The events that come with SPANet, or others in its layout: a second sample, read where the file is there."""

    title: str | None = Field(
        None, description="what figures call them; by default what comes with SPANet, or the name of a file of the user"
    )
    file: str = Field(
        _SHIPPED_FILE,
        description="HDF5 file in the layout of SPANet; $NAME is a variable of the environment, which names no file "
        "where it is not set",
    )
    folds: Annotated[int, Field(ge=2)] = Field(5, description="trainings, each tested on a part of the file")

    @property
    def words(self) -> str:
        """What figures call the events: a file that the user names is not that of SPANet."""
        default = _SHIPPED if self.file == _SHIPPED_FILE else f"events of {Path(self.file).name}"
        return self.title or default

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
        (0.0, 75.0, 150.0, 225.0, 300.0, 500.0),
        description="bins of the transverse momentum of the true top [GeV]; tops beyond them are in none",
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
