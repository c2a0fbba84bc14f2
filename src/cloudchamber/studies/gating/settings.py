"""Settings of the study of gating."""

from typing import Annotated, final

from pydantic import Field

from cloudchamber.settings.base import Settings

__all__ = ["GatingSettings"]


@final
class GatingSettings(Settings):
    """The study of the capacity of gating: exact counts of Boolean functions, and identities of attention."""

    inputs: Annotated[int, Field(ge=1, le=4)] = Field(4, description="largest number that is enumerated, 1 to 4")
    stored_inputs: bool = Field(True, description="whether the stored counts of five inputs are shown as well")
    trials: Annotated[int, Field(ge=20)] = Field(100, description="random inputs behind each identity")
