"""What the study makes: where the files of its ensembles and models lie."""

from collections.abc import Mapping
from typing import Any, final

from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.system_settings import (
    DisksSettings,
    PairOnRingSettings,
    RotationSettings,
    TrapSettings,
)

__all__ = ["ActiveMatterPlan"]


@final
class ActiveMatterPlan:
    """Files of the study.

    Args:
        settings: of the study.
        results: folder of all results.
        folder: of the study, below it.
    """

    def __init__(self, settings: ActiveMatterSettings, results: str, folder: str) -> None:
        self.settings, self._results, self._folder = settings, results, folder
        self.metrics, self.denoising, self.phases = (
            f"{folder}/{name}.csv" for name in ("metrics", "denoising", "phases")
        )

    def snapshots(self, ensemble: str) -> str:
        """Return the file of snapshots of an ensemble."""
        return f"{self._folder}/ensembles/{ensemble}.h5"

    def drives(self, model: str) -> tuple[float, ...]:
        """Return the drives that a model is trained on."""
        chosen = self.settings.models[model]
        return chosen.drives or self.settings.ensembles[chosen.ensemble].drives

    def training(self, model: str, seed: int) -> str:
        """Return the folder of a training."""
        return f"{self._folder}/models/{model}/seed{seed}"

    def training_below_results(self, model: str, seed: int) -> str:
        """Return the folder of a training, below that of all results."""
        return self.training(model, seed).removeprefix(f"{self._results}/")

    def quantities(self, model: str) -> str:
        """Return the table of the numbers of a model."""
        return f"{self._folder}/models/{model}/quantities.csv"

    def fields(self, model: str) -> str:
        """Return the local values of a model."""
        return f"{self._folder}/models/{model}/fields.h5"

    def measured(self, model: str) -> Mapping[str, Any]:
        """Return what a model is measured from; of the ensemble that it was trained on the test part alone."""
        chosen = self.settings.models[model]
        drives = self.drives(model)
        ensembles = [self._measured(chosen.ensemble, drives, "test")]
        for name in chosen.transfers:
            # A network that never saw another drive than one takes it as it is.
            ensembles.append(self._measured(name, self.settings.ensembles[name].drives, None))
        trainings = []
        for seed in self.settings.seeds_of(model):
            folder = self.training(model, seed)
            files = {"weights": f"{folder}/weights.safetensors", "description": f"{folder}/model.json"}
            trainings.append({"seed": seed, **files})
        return {"trainings": trainings, "ensembles": ensembles}

    def _measured(self, ensemble: str, drives: Any, part: str | None) -> dict[str, Any]:
        return {"name": ensemble, "snapshots": self.snapshots(ensemble), "drives": list(drives), "part": part}

    def gathered(self) -> Mapping[str, Any]:
        """Return what the tables of the study are gathered from."""
        return {
            "ensembles": [{"name": name, "snapshots": self.snapshots(name)} for name in self.settings.ensembles],
            "models": [{"name": name, "quantities": self.quantities(name)} for name in self.settings.models],
        }

    def titles(self) -> Mapping[str, Any]:
        """Return what ensembles and models are called, and the number of particles of each ensemble."""
        return {
            "ensembles": [
                {
                    "name": name,
                    "title": item.title,
                    "particles": getattr(item.system, "particles", 1),
                    "kind": item.system.kind,
                }
                for name, item in self.settings.ensembles.items()
            ],
            "models": [
                {"name": name, "title": item.title, "ensemble": item.ensemble, "transfers": list(item.transfers)}
                for name, item in self.settings.models.items()
            ],
        }

    def fields_of(self, kind: str) -> list[dict[str, Any]]:
        """Return the local values of models of one kind: "planar" (two coordinates), "boxed" (periodic box) or all."""
        found = []
        for name, item in self.settings.models.items():
            system = self.settings.ensembles[item.ensemble].system
            planar = isinstance(system, TrapSettings | RotationSettings | PairOnRingSettings)
            boxed = isinstance(system, DisksSettings) and system.stiffness == 0
            if kind == "all" or (kind == "planar" and planar) or (kind == "boxed" and boxed):
                found.append(
                    {"name": name, "title": item.title, "ensemble": item.ensemble, "fields": self.fields(name)}
                )
        return found
