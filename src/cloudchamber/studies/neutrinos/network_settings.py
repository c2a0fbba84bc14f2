"""Settings of the networks of the study: what makes the weights of one."""

from abc import ABC
from typing import Annotated, Literal, final

from pydantic import Field

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import PositiveInt, Settings, Share
from cloudchamber.settings.training import TrainableSettings

__all__ = [
    "HighLevelSettings",
    "LossSettings",
    "NeutrinoNetworkSettings",
    "NeutrinoTrainingSettings",
    "PointSetSettings",
    "TokenEncoderSettings",
    "TransformerCvnSettings",
    "VisibleTruthSettings",
]

Probability = Annotated[float, Field(ge=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class TokenEncoderSettings(Settings, ABC):
    """Abstract: a transformer over tokens, with attention and feed-forward part after a layer norm each."""

    width: PositiveInt = Field(64, description="of a token")
    heads: PositiveInt = 4
    layers: PositiveInt = 2
    feed_forward: PositiveInt = Field(128, description="inner width of the feed-forward part of a layer")
    dropout: Probability = 0.0

    _heads_divide = heads_divide("width")


@final
class TransformerCvnSettings(TokenEncoderSettings):
    """Convolutions embed the maps of the event and of each prong, a transformer mixes them (after arXiv 2303.06201)."""

    kind: Literal["transformer_cvn"] = "transformer_cvn"
    coarsen: PositiveInt = Field(1, description="so many planes and cells are added up to a pixel of the maps")
    stages: Widths = Field(
        (16, 32, 64), description="channels of the stages: a convolution of 3 x 3 pixels, after which 2 x 2 become one"
    )
    context: bool = Field(
        True, description="event and prongs look at each other; without it each sees its own map alone"
    )


@final
class PointSetSettings(TokenEncoderSettings):
    """Transformer over the hits of both views; a prong is the mean of its hits."""

    kind: Literal["point_set"]
    hits: PositiveInt = Field(256, description="as many of the hits with most energy are looked at")


@final
class HighLevelSettings(Settings):
    """Dense networks on high-level features: one of the event, one of each prong by itself."""

    kind: Literal["high_level"]
    hidden: Widths = (64, 64)
    dropout: Probability = 0.0


@final
class VisibleTruthSettings(TokenEncoderSettings):
    """Transformer over the true visible prongs, electrons and photons under one name: the ceiling."""

    kind: Literal["visible_truth"] = "visible_truth"


NeutrinoNetworkSettings = Annotated[
    TransformerCvnSettings | PointSetSettings | HighLevelSettings | VisibleTruthSettings, Field(discriminator="kind")
]


@final
class LossSettings(Settings):
    """Focal cross-entropy of event and prongs (arXiv 1708.02002, equation 4, without its class weights)."""

    event_share: Share = Field(
        0.9, description="weight of the event in the loss; the rest is of prongs, all of a batch alike"
    )
    focal: Annotated[float, Field(ge=0)] = Field(1.0, description="exponent of the focal loss; 0 is cross-entropy")
    pixel_noise: Annotated[float, Field(ge=0)] = Field(
        0.001, description="standard deviation of the factor on the energy of each hit of a training event"
    )


@final
class NeutrinoTrainingSettings(TrainableSettings):
    """What makes the weights of one network."""

    network: NeutrinoNetworkSettings
    loss: LossSettings = LossSettings()
