"""Settings of networks from observed stars to the equation of state."""

from abc import ABC
from typing import Annotated, Literal, final

from pydantic import Field

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import PositiveInt, Settings

__all__ = [
    "DeepSetNetwork",
    "LikelihoodNetwork",
    "RatioNetwork",
    "SetNetwork",
    "SetTransformerNetwork",
    "SortedNetwork",
    "StarNetwork",
]

Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]


class SetNetwork(Settings, ABC):
    """Abstract: a network from a set of stars to the equation of state."""

    output: Literal["point", "density"] = Field(
        "density", description="estimates by squared error, or a mixture of Gaussians trained by likelihood"
    )
    components: PositiveInt = Field(8, description="Gaussians of the density")
    hidden: Widths = Field((64,), description="widths of the last dense network; the last is that of its context")


@final
class SortedNetwork(SetNetwork):
    """Dense network on the stars sorted by mass, behind each other."""

    kind: Literal["sorted"]
    hidden: Widths = (64, 64)


@final
class DeepSetNetwork(SetNetwork):
    """Deep set (arXiv 1703.06114): a network of each star, the sum, a network of the sum."""

    kind: Literal["deep_set"]
    star: Widths = Field((64, 64), description="widths of the network of each star, whose outputs are summed")


@final
class SetTransformerNetwork(SetNetwork):
    """Set transformer: self-attention among the stars (after arXiv 1810.00825), then their mean."""

    kind: Literal["set_transformer"]
    layers: PositiveInt = 2
    heads: PositiveInt = 4
    width: PositiveInt = 32
    feed_forward: Annotated[int, Field(gt=0, multiple_of=2)] = Field(64, description="inner width of a block")

    _heads_divide = heads_divide("width")


@final
class LikelihoodNetwork(Settings):
    """Neural likelihood: the density of one observed star given the parameters, summed over stars and scanned."""

    kind: Literal["likelihood"]
    hidden: Widths = (64, 64)
    components: PositiveInt = Field(8, description="Gaussians of the density")


@final
class RatioNetwork(Settings):
    """Machine-learned likelihood ratio of one star, from the joint ratio of the simulation; summed and scanned."""

    kind: Literal["ratio"]
    hidden: Widths = (64, 64)
    contrasts: PositiveInt = Field(4, description="other equations of state that each star is compared with")


StarNetwork = Annotated[
    SortedNetwork | DeepSetNetwork | SetTransformerNetwork | LikelihoodNetwork | RatioNetwork,
    Field(discriminator="kind"),
]
