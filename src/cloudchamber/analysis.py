"""The settings of the whole analysis, the content of config.yaml: the only module that names the studies."""

from collections.abc import Mapping
from typing import Self, final

from pydantic import model_validator

from cloudchamber.settings.data import DatasetSettings, SimulatedSource
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.jet_generation.settings import JetGenerationSettings
from cloudchamber.studies.tagging.settings import TaggingSettings

__all__ = ["AnalysisSettings"]


@final
class AnalysisSettings(SharedSettings):
    """Everything: the content of config.yaml."""

    jet_generation: JetGenerationSettings
    tagging: TaggingSettings | None = None

    @property
    def used_datasets(self) -> Mapping[str, DatasetSettings]:
        """The data sets of the studies; nothing is made of others."""
        tagged = [item.dataset for item in self.tagging.classes.values()] if self.tagging else []
        return {name: self.datasets[name] for name in dict.fromkeys([*self.jet_generation.datasets, *tagged])}

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, dataset in self.datasets.items():
            if isinstance(dataset.source, SimulatedSource) and dataset.source.process not in self.processes:
                raise ValueError(f"datasets.{name}.source.process: no process '{dataset.source.process}'")
        for name in self.jet_generation.datasets:
            if name not in self.datasets:
                raise ValueError(f"jet_generation.datasets: no data set '{name}' among {sorted(self.datasets)}")
        for name, item in self.tagging.classes.items() if self.tagging else ():
            if item.dataset not in self.datasets:
                raise ValueError(f"tagging.classes.{name}.dataset: no data set '{item.dataset}'")
        return self
