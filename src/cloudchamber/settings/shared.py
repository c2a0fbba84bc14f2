"""Settings that all studies of an analysis share: where results go, what is simulated, data sets."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, final

from pydantic import Field

from cloudchamber.settings.base import Name, PositiveInt, Settings
from cloudchamber.settings.data import DatasetSettings, ReclusteredJets
from cloudchamber.settings.processes import ProcessSettings

__all__ = ["DetectorResponseSettings", "SharedSettings"]


@final
class DetectorResponseSettings(Settings):
    """Comparison of the simulated detector with files of real Delphes, where those are there."""

    clouds: ReclusteredJets
    max_particles: PositiveInt = 200
    real_files: Mapping[Name, str] = Field(default_factory=dict, description="process -> file of the same process")


class SharedSettings(Settings, ABC):
    """Abstract: what all studies share."""

    results: str = Field("results", description="folder of all outputs")
    seed: Annotated[int, Field(ge=0)] = Field(1, description="seed of the simulation, the splits and the metrics")
    processes: Mapping[Name, ProcessSettings] = Field(default_factory=dict, description="what to simulate")
    detector_response: DetectorResponseSettings | None = None
    datasets: Mapping[Name, DatasetSettings] = Field(description="clouds and where they come from")
