"""Settings of networks: those of generative models, and the classifier ParticleNet."""

from typing import Annotated, Literal, final

from pydantic import Field

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import PositiveFloat, PositiveInt, Settings

__all__ = ["EpicGanSettings", "EpicSettings", "NetworkSettings", "ParticleNetSettings", "TransformerSettings"]


@final
class EpicSettings(Settings):
    """EPiC network (arXiv 2301.08128, 2310.00049)."""

    kind: Literal["epic"] = "epic"
    layers: PositiveInt = 6
    hidden: PositiveInt = 128
    latent: PositiveInt = Field(10, description="width of the global vector of a cloud")
    time_features: Annotated[int, Field(gt=0, multiple_of=2)] = 32
    sum_scale: PositiveFloat = Field(0.01, description="factor on the sum over particles before the global products")


@final
class TransformerSettings(Settings):
    """Set transformer, with standard or Macaron blocks (arXiv 1906.02762)."""

    kind: Literal["transformer"] = "transformer"
    layers: PositiveInt = 4
    heads: PositiveInt = 8
    hidden: PositiveInt = 128
    feed_forward: Annotated[int, Field(gt=0, multiple_of=2)] = Field(
        256, description="inner width of the feed-forward part of a block; the two parts of a Macaron block share it"
    )
    block: Literal["standard", "macaron"] = "standard"
    time_features: Annotated[int, Field(gt=0, multiple_of=2)] = 32

    _heads_divide = heads_divide("hidden")


@final
class EpicGanSettings(Settings):
    """Generator of EPiC-GAN (arXiv 2301.08128): noise of particles and of the cloud to a cloud, in one evaluation."""

    kind: Literal["epic_gan"] = "epic_gan"
    layers: PositiveInt = 6
    hidden: PositiveInt = 128
    latent: PositiveInt = Field(10, description="width of the global vector of a cloud, which starts as noise")
    sum_scale: PositiveFloat = Field(
        0.1, description="factor on the sum over particles before the global products; 1 as published"
    )


@final
class ParticleNetSettings(Settings):
    """ParticleNet classifier (arXiv 1902.08570)."""

    neighbours: PositiveInt = 8
    blocks: tuple[tuple[PositiveInt, ...], ...] = Field(((32, 32, 32), (64, 64, 64)), description="EdgeConv widths")
    fusion: Annotated[int, Field(ge=0)] = Field(128, description="width of the layer over all blocks; 0: none")
    dense: PositiveInt = 256
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1


NetworkSettings = Annotated[EpicSettings | TransformerSettings | EpicGanSettings, Field(discriminator="kind")]
