"""Settings of one assignment network: what makes its weights."""

from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import PositiveInt, Settings
from cloudchamber.settings.training import TrainableSettings, needs_one_process
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR, EventTopology

__all__ = ["AssignmentLossSettings", "AssignmentNetworkSettings", "AssignmentTrainingSettings"]

Probability = Annotated[float, Field(ge=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


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

    _heads_divide = heads_divide("embedding")


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
