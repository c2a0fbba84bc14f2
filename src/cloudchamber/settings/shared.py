"""Settings that all studies of an analysis share: where results go, what is simulated, data sets."""

import os
from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Name, PositiveInt, Settings
from cloudchamber.settings.data import DatasetSettings
from cloudchamber.settings.ingestion import ReclusteredJets
from cloudchamber.settings.processes import ProcessSettings

__all__ = ["DetectorResponseSettings", "SharedSettings"]


@final
class DetectorResponseSettings(Settings):
    """Comparison of the simulated detector with files of real Delphes, where those are there."""

    clouds: ReclusteredJets
    max_particles: PositiveInt = 200
    real_files: Mapping[Name, str] = Field(
        default_factory=dict,
        description="process -> file of the same process after real Delphes; $NAME is a variable of the environment",
    )
    delphes: str = Field("unknown", description="version of Delphes that made these files, and its card, in words")

    @property
    def selection(self) -> dict[str, Any]:
        """What decides which jets are compared, as JSON."""
        return self.model_dump(mode="json", include={"clouds", "max_particles"})

    @property
    def files(self) -> dict[str, str]:
        """The files, with what the environment says in place of its variables; one that is not set names no file."""
        return {process: os.path.expandvars(path) for process, path in self.real_files.items()}


class SharedSettings(Settings, ABC):
    """Abstract: what all studies of an analysis share."""

    scale: Name = Field(
        "default", description="which configs/STUDY/SCALE.yaml are taken; studies without one are left out"
    )
    results: Annotated[str, Field(pattern=r"^[\w./+][\w./+-]*$")] = Field(
        "results", description="folder of all outputs; by default that of the scale, results_SCALE"
    )
    seed: Annotated[int, Field(ge=0)] = Field(1, description="seed of the simulation, the splits and the metrics")
    studies: tuple[Name, ...] = Field(min_length=1, description="which studies are made, in this order")
    processes: Mapping[Name, ProcessSettings] = Field(default_factory=dict, description="what to simulate")
    detector_response: DetectorResponseSettings | None = None
    datasets: Mapping[Name, DatasetSettings] = Field(
        default_factory=dict, description="clouds and where they come from"
    )

    @model_validator(mode="after")
    def _names_of_files_are_free(self) -> Self:
        for name in self.datasets:
            if name.endswith(("_split", "_observables")):
                raise ValueError(f"datasets.{name}: files beside those of another data set have names that end so")
        return self
