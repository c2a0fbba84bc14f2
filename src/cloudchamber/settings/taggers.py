"""Settings of jet taggers: networks from towers or high-level features to classes, at the published sizes by default.

The sizes of Mass+HL, PFN and Transformer are those that give the parameters of the slides behind arXiv 2202.00723
exactly; their dropout and the heads and pooling of the transformer, which no count shows, are choices made here.
"""

from abc import ABC
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.tagging_sample import FeatureSet
from cloudchamber.settings.training import TrainableSettings, needs_one_process

__all__ = [
    "DenseTagger",
    "ParticleDynamicsTagger",
    "ParticleFlowTagger",
    "ParticleNetTagger",
    "ParticleTransformerTagger",
    "TaggerCostSettings",
    "TaggerModel",
    "TaggerNetworkSettings",
    "TaggerSettings",
    "TowerFeatures",
    "TowerTaggerSettings",
    "TransformerBlock",
    "TransformerTagger",
]

Probability = Annotated[float, Field(ge=0, lt=1)]
Widths = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
TowerFeatures = Literal["relative", "kinematic"]
TransformerBlock = Literal[
    "standard", "feed_forward_first", "macaron", "macaron_full_step", "halves_after", "half_ends"
]


@final
class DenseTagger(Settings):
    """Dense network on high-level features: mass and 16 N-subjettiness variables on slides, and 135 in the paper."""

    kind: Literal["dense"]
    features: FeatureSet | None = Field(
        None, description="which of the features of high_level it takes, by the name of a set; by default all"
    )
    hidden: Widths = (800, 800, 800, 800, 800, 800, 64)
    dropout: Probability = 0.0


class TowerTaggerSettings(Settings, ABC):
    """Abstract: a network on the towers of a jet."""

    inputs: TowerFeatures = Field(
        "relative",
        description="of a tower: pT, eta, phi relative to the jet, or the 7 kinematic features of arXiv 2202.03772",
    )
    towers: PositiveInt = Field(230, description="as many of the hardest towers are looked at")
    aligned: bool = Field(
        False, description="turn each jet so that its pT spreads most along eta, and mirror it to its hardest tower"
    )


@final
class ParticleFlowTagger(TowerTaggerSettings):
    """Particle flow network, a deep set (arXiv 1810.05165)."""

    kind: Literal["particle_flow"]
    tower: Widths = Field((128, 128), description="widths of the network of each tower, whose outputs are summed")
    hidden: Widths = Field((1024, 1024), description="widths of the network of the sum")
    dropout: Probability = 0.0


@final
class TransformerTagger(TowerTaggerSettings):
    """Post-norm transformer encoder (arXiv 1706.03762), with standard, Macaron (arXiv 1906.02762) or other blocks."""

    kind: Literal["transformer"]
    layers: PositiveInt = 2
    heads: PositiveInt = 8
    width: PositiveInt = 128
    feed_forward: Annotated[int, Field(gt=0, multiple_of=2)] = Field(
        128, description="inner width of the feed-forward part of a block; where there are two parts they share it"
    )
    block: TransformerBlock = Field(
        "standard",
        description="attention and feed-forward part; or the latter first; or half of one, attention, half of another, "
        "or these at full steps; or attention and two halves; or a standard stack that opens and closes with halves",
    )
    hidden: Widths = Field((1024, 1024), description="widths of the network of the mean over towers")
    dropout: Probability = 0.1

    _heads_divide = heads_divide("width")


@final
class ParticleDynamicsTagger(TowerTaggerSettings):
    """Transformer with the same attention and the same feed-forward part in all layers, steps of one motion."""

    kind: Literal["particle_dynamics"]
    heads: PositiveInt = 8
    width: PositiveInt = 128
    feed_forward: PositiveInt = Field(128, description="inner width of the feed-forward part")
    scheme: Literal["lie", "strang"] = Field(
        "lie", description="attention and feed-forward part; or half a step of the latter on both sides of attention"
    )
    duration: PositiveFloat = Field(1.0, description="of the motion: the length of a step times their number")
    steps: PositiveInt = Field(4, description="layers")
    hidden: Widths = Field((1024, 1024), description="widths of the network of the mean over towers")

    _heads_divide = heads_divide("width")


@final
class ParticleNetTagger(TowerTaggerSettings):
    """ParticleNet, a dynamic graph convolution (arXiv 1902.08570)."""

    kind: Literal["particle_net"]
    inputs: TowerFeatures = "kinematic"
    network: ParticleNetSettings = ParticleNetSettings(
        neighbours=16, blocks=((64, 64, 64), (128, 128, 128), (256, 256, 256)), fusion=0, dense=256, dropout=0.1
    )


@final
class ParticleTransformerTagger(TowerTaggerSettings):
    """Particle Transformer, whose attention knows pairs of towers (arXiv 2202.03772)."""

    kind: Literal["particle_transformer"]
    inputs: TowerFeatures = "kinematic"
    embedding: Widths = Field((128, 512, 128), description="widths of the embedding of a tower; the last is the width")
    pair_embedding: Widths = Field((64, 64, 64), description="widths of the embedding of a pair")
    heads: PositiveInt = 8
    layers: PositiveInt = 8
    class_layers: PositiveInt = Field(2, description="blocks in which the class token looks at the towers")
    dropout: Probability = Field(0.1, description="in the blocks of towers; those of the class token have none")

    _heads_divide = heads_divide("embedding")


TaggerNetworkSettings = Annotated[
    DenseTagger
    | ParticleFlowTagger
    | TransformerTagger
    | ParticleDynamicsTagger
    | ParticleNetTagger
    | ParticleTransformerTagger,
    Field(discriminator="kind"),
]


class _Tagger(TrainableSettings, ABC):
    """Abstract: what makes the weights of a tagger."""

    network: TaggerNetworkSettings
    label_smoothing: Probability = Field(0.0, description="share of each target that is spread over all classes")
    weighted: bool = Field(True, description="whether the loss weighs jets flat in mass and transverse momentum")

    @model_validator(mode="after")
    def _statistics_of_batches_are_whole(self) -> Self:
        if isinstance(self.network, ParticleNetTagger | ParticleTransformerTagger):
            needs_one_process(self.training)
        return self


@final
class TaggerSettings(_Tagger):
    """What one training of a tagger needs."""


@final
class TaggerModel(_Tagger):
    """A tagger of the study."""

    title: str
    seeds: Seeds | None = Field(None, description="one training per seed; by default those of the study")

    @property
    def tagger(self) -> TaggerSettings:
        """The part that decides the weights."""
        return TaggerSettings(**{name: getattr(self, name) for name in TaggerSettings.model_fields})


@final
class TaggerCostSettings(Settings):
    """Measurement of what taggers cost."""

    batch_size: PositiveInt = Field(64, description="jets of a batch, of training and of inference")
    rounds: PositiveInt = Field(5, description="measurements, after one to warm up")
