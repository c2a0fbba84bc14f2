"""Settings of metrics: how samples are compared with truth, and the classifier behind the log posterior."""

from abc import ABC
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import PositiveInt, Settings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.training import TrainableSettings, needs_one_process

__all__ = [
    "FEWEST_JETS_PER_CLASS",
    "JetClassifierSettings",
    "LogPosteriorSettings",
    "MetricSettings",
    "TeacherTestSettings",
]

# With fewer the spread over the jets of the validation part is that of a single one.
FEWEST_JETS_PER_CLASS = 10


class JetClassifierSettings(TrainableSettings, ABC):
    """Abstract: a ParticleNet that tells samples of jets from each other."""

    network: ParticleNetSettings = ParticleNetSettings()

    @model_validator(mode="after")
    def _statistics_of_batches_are_whole(self) -> Self:
        needs_one_process(self.training)
        return self


@final
class LogPosteriorSettings(JetClassifierSettings):
    """The classifier behind the log posterior."""

    jets_per_class: Annotated[int, Field(ge=FEWEST_JETS_PER_CLASS)] = Field(
        description="jets of each class for training and validation together; no more than half of the test part, or "
        "than are generated"
    )


@final
class TeacherTestSettings(JetClassifierSettings):
    """The classifier that tells a flow map from its teacher: the classifier two-sample test of arXiv 1610.06545."""

    pairs: Annotated[int, Field(ge=20)] = Field(
        description="jets of each of the two, from the same noise; two thirds train the classifier, the others are the "
        "test; no more than are generated"
    )


@final
class MetricSettings(Settings):
    """How samples are compared with truth."""

    bins: PositiveInt = Field(100, description="equally probable bins of the truth for the KL divergence")
    bootstraps: Annotated[int, Field(ge=2)] = Field(50, description="resamplings behind each uncertainty")
    energy_mover_jets: Annotated[int, Field(ge=2)] = Field(
        50, description="jets of each side in a batch of pairwise energy mover's distances"
    )
    energy_mover_batches: Annotated[int, Field(ge=2)] = Field(5, description="such batches")
