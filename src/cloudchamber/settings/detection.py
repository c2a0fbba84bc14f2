"""Settings of the detector for events of other generators."""

from typing import final

from pydantic import Field

from cloudchamber.settings.base import Radius, Settings

__all__ = ["DetectionSettings"]


@final
class DetectionSettings(Settings):
    """What becomes of generated events in the detector."""

    jet_radius: Radius = Field(0.6, description="radius of the anti-kT jets in the file")
    weight_branch: str | None = Field(
        "Event.Weight",
        description="weight of an event: the nominal one of the file, or one by name; null gives all a weight of one",
    )
