"""Settings of the training loop."""

from abc import ABC
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Fraction, PositiveFloat, PositiveInt, Settings

__all__ = ["TrainableSettings", "TrainingSettings", "needs_one_process"]


@final
class TrainingSettings(Settings):
    """The training loop."""

    steps: PositiveInt
    batch_size: PositiveInt = Field(
        256, description="examples of a step, of all processes together; rounded down to a multiple of their number"
    )
    learning_rate: PositiveFloat = 1e-3
    muon_learning_rate: PositiveFloat | None = Field(
        None,
        description="learning rate of Muon for the matrices of weights, those with fewer than 8 rows or columns left "
        "out; without it AdamW moves all weights",
    )
    weight_decay: Annotated[float, Field(ge=0)] = 5e-5
    betas: tuple[Annotated[float, Field(ge=0, lt=1)], Fraction] = Field(
        (0.9, 0.999), description="memory of AdamW: gradient and its square"
    )
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    schedule: Literal["constant", "cosine"] = "cosine"
    gradient_clip: PositiveFloat = 0.5
    ema_decay: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.999,
        description="share of the old average of the weights in each step; after n steps ema_decay^n of it are the "
        "weights before the training",
    )
    keep: Literal["last", "best"] = Field(
        "last", description="averaged weights that the training gives: the last, or those of the lowest validation loss"
    )
    validate_every: PositiveInt = 500
    record_every: PositiveInt = Field(
        100,
        description="steps between rows of the history; those without a validation hold the training loss alone",
    )
    save_every: PositiveInt = Field(200, description="steps between two saved states")
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    devices: PositiveInt = Field(1, description="devices (GPUs, or processes on CPU) of one training")
    nodes: PositiveInt = Field(1, description="nodes of a cluster for one training")
    # Left out of descriptions and commands where it is off: it says nothing of the weights.
    tensorboard: bool = Field(
        False,
        exclude_if=lambda wanted: not wanted,
        description="write the history as event files of TensorBoard too, in the folder of the state, while the "
        "training runs (extra `tensorboard`)",
    )

    @model_validator(mode="after")
    def _every_process_has_an_example(self) -> Self:
        processes = self.devices * self.nodes
        if self.batch_size < processes:
            raise ValueError(f"batch_size: {self.batch_size} examples cannot be shared by {processes} processes")
        return self


class TrainableSettings(Settings, ABC):
    """Abstract: what makes the weights of one training."""

    training: TrainingSettings


def needs_one_process(training: TrainingSettings) -> None:
    """Refuse several processes for a network with batch normalisation: each would see statistics of its share alone.

    Raises:
        ValueError: the settings ask for several devices or nodes.
    """
    if training.devices * training.nodes > 1:
        raise ValueError(
            "training: a network with batch normalisation is trained by one process: devices and nodes must be 1"
        )
