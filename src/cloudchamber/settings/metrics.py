"""Settings of metrics: how samples are compared with truth, and the classifier behind the log posterior."""

from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import PositiveInt, Settings
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.training import TrainableSettings, needs_one_process

__all__ = ["LogPosteriorSettings", "MetricSettings"]


@final
class LogPosteriorSettings(TrainableSettings):
    """The classifier behind the log posterior."""

    network: ParticleNetSettings = ParticleNetSettings()
    jets_per_class: PositiveInt = Field(
        description="jets of each class for training and validation together; no more than half of the test part, or "
        "than are generated"
    )

    @model_validator(mode="after")
    def _statistics_of_batches_are_whole(self) -> Self:
        needs_one_process(self.training)
        return self


@final
class MetricSettings(Settings):
    """How samples are compared with truth."""

    bins: PositiveInt = Field(100, description="equally probable bins of the truth for the KL divergence")
    bootstraps: Annotated[int, Field(ge=2)] = Field(50, description="resamplings behind each uncertainty")
    energy_mover_jets: Annotated[int, Field(ge=2)] = Field(
        50, description="jets of each side in a batch of pairwise energy mover's distances"
    )
    energy_mover_batches: Annotated[int, Field(ge=2)] = Field(5, description="such batches")
