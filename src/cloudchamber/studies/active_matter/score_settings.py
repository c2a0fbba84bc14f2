"""Settings of scores: networks, losses, and the models that are trained."""

from abc import ABC
from typing import Annotated, Literal, final

from pydantic import Field

from cloudchamber.settings.attention import heads_divide
from cloudchamber.settings.base import Different, Name, PositiveFloat, PositiveInt, Seeds, Settings
from cloudchamber.settings.training import TrainableSettings
from cloudchamber.studies.active_matter.system_settings import Drive, NotNegative

__all__ = [
    "EquivariantSettings",
    "LossSettings",
    "MlpSettings",
    "NetworkSettings",
    "ScoreModelSettings",
    "ScoreSettings",
    "TransformerSettings",
    "TransformerSizes",
]


@final
class MlpSettings(Settings):
    """A dense network on the coordinates of one particle."""

    kind: Literal["mlp"]
    hidden: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] = Field(
        (64, 64), description="widths of the layers"
    )
    harmonics: PositiveInt = Field(1, description="Fourier modes in which the network sees a periodic coordinate")
    antisymmetric: bool = Field(False, description="make the score odd under reflection of all coordinates")


class TransformerSizes(Settings, ABC):
    """Abstract: layers of a transformer on particles."""

    layers: PositiveInt = Field(2, description="blocks of attention and feed-forward part")
    heads: PositiveInt = Field(2, description="heads of the attention")
    width: PositiveInt = Field(32, description="numbers that stand for a particle inside of the network")
    feed_forward: PositiveInt = Field(64, description="inner width of the feed-forward part")
    norm: bool = Field(False, description="layer norm before attention and feed-forward part, for deep networks")
    neighbours: PositiveInt | None = Field(
        None, description="particles that each one sees, the nearest and itself; by default all"
    )

    _heads_divide = heads_divide("width")


@final
class TransformerSettings(TransformerSizes):
    """A transformer on particles: all of them, or the nearest neighbours of each."""

    kind: Literal["transformer"]


@final
class EquivariantSettings(TransformerSizes):
    """A transformer on the nearest neighbours that turns with the particles, and sees how forces move them."""

    kind: Literal["equivariant"]
    norm: bool = Field(True, description="layer norm before attention and feed-forward part")
    size: PositiveFloat = Field(1.0, description="factor of the outputs: about the size of the score")


NetworkSettings = Annotated[MlpSettings | TransformerSettings | EquivariantSettings, Field(discriminator="kind")]


@final
class LossSettings(Settings):
    """What the score is fitted by. All losses have the same minimum but for their bias in sigma or the step."""

    kind: Literal["transition", "additive", "divergence"] = Field(
        "transition",
        description="denoise the noise of one step of the dynamics; denoise added noise; or score matching with the "
        "exact divergence",
    )
    step: PositiveFloat = Field(0.02, description="time step of the transition kernel")
    sigma: PositiveFloat = Field(0.1, description="standard deviation of added noise")
    antithetic: bool = Field(True, description="whether each noise is used with both signs")
    residual: NotNegative = Field(
        0.0, description="weight of the Fokker-Planck residual, the mean square of div v + v . s of each particle"
    )


class _FittedScore(TrainableSettings, ABC):
    """Abstract: network, loss and loop of a score."""

    network: NetworkSettings
    loss: LossSettings = LossSettings()
    shift: bool = Field(
        True,
        description="add drift / diffusion to the network wherever the diffusion is not zero, so that the "
        "network gives "
        "minus velocity / diffusion",
    )
    particles: PositiveInt | None = Field(
        None, description="particles of each snapshot that one batch takes; by default all"
    )


@final
class ScoreSettings(_FittedScore):
    """What makes the weights of one score."""


@final
class ScoreModelSettings(_FittedScore):
    """A model: a score trained on one ensemble, and the ensembles that it is measured on unchanged."""

    title: str = Field(description="what figures and tables call it")
    ensemble: Name = Field(description="what it is trained on")
    drives: Annotated[tuple[Drive, ...], Field(min_length=1), Different] | None = Field(
        None,
        description="drives of the ensemble that it is trained on, as a condition where there are several; by "
        "default all",
    )
    transfers: Annotated[tuple[Name, ...], Different] = Field((), description="ensembles that it is measured on too")
    seeds: Seeds | None = Field(None, description="one training each; by default those of the study")

    @property
    def score(self) -> ScoreSettings:
        """What makes its weights: not its name, nor what it is measured on."""
        return ScoreSettings(**{name: getattr(self, name) for name in ScoreSettings.model_fields})
