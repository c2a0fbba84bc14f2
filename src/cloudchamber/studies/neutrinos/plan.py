"""What the study makes: raw files, trainings, scores and tables, and where they lie."""

from collections.abc import Iterable
from typing import Any, final

from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.training import Training
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM, STAND_IN
from cloudchamber.studies.neutrinos.settings import NeutrinosSettings

__all__ = ["NeutrinosPlan"]

_TITLES = {CEILING: "ceiling: true visible prongs", HISTOGRAM: "histogram of muon length and shower energy"}


@final
class NeutrinosPlan:
    """Files of the study.

    Args:
        study: name of the study.
        settings: of the study.
        paths: of the analysis.
    """

    def __init__(self, study: str, settings: NeutrinosSettings, paths: Paths) -> None:
        self.study, self.settings, self.paths = study, settings, paths
        self.folder = paths.study(study)
        self.raw = [f"{self.folder}/raw/{shard}.root" for shard in range(settings.simulation.beam.shards)]
        self.events = f"{self.folder}/events.h5"
        self.scores = f"{self.folder}/scores.h5"
        # All events lie in memory, some 8 kB each, and once more beside the network [MB].
        self.memory = 4000 + settings.simulation.beam.events // 50
        names = ("metrics", "differences", "confusion", "curves")
        self.tables = {name: f"{self.folder}/{name}.csv" for name in names}

    def trainings(self) -> Iterable[Training]:
        """Return every training: of the models, and of the ceiling."""
        for entry in self.trained():
            name = entry["name"]
            yield Training(
                command="neutrinos train",
                folder=entry["folder"],
                title=self.titles_of_models()[name],
                source=self.events,
                settings=self.settings.training_of(name),
                seed=entry["seed"],
                threads=self.settings.threads,
                memory=self.memory,
            )

    def trained(self) -> list[dict[str, Any]]:
        """Return all trainings, models in the order of the settings and the ceiling last."""
        return [
            self._entry(name, seed)
            for name in (*self.settings.models, CEILING)
            for seed in self.settings.seeds_of(name)
        ]

    def _entry(self, name: str, seed: int) -> dict[str, Any]:
        folder = f"{self.study}/ceiling/seed{seed}" if name == CEILING else f"{self.study}/models/{name}/seed{seed}"
        return {
            "name": name,
            "seed": seed,
            "folder": folder,
            "weights": f"{self.paths.results}/{folder}/weights.safetensors",
            "description": f"{self.paths.results}/{folder}/model.json",
        }

    def classified(self) -> dict[str, Any]:
        """Return the networks that classify the test events."""
        keys = ("name", "seed", "weights", "description")
        return {"models": [{key: entry[key] for key in keys} for entry in self.trained()]}

    def judged(self) -> dict[str, Any]:
        """Return what is judged."""
        return {"scores": self.scores, "reference": self.settings.reference}

    def titles_of_models(self) -> dict[str, str]:
        """Return what networks and baselines are called, the ceiling last."""
        models = {name: model.title for name, model in self.settings.models.items()}
        return {**models, HISTOGRAM: _TITLES[HISTOGRAM], CEILING: _TITLES[CEILING]}

    def titles(self) -> dict[str, Any]:
        """Return what the study, its data and its models are called."""
        models = [{"name": name, "title": title} for name, title in self.titles_of_models().items()]
        return {"title": self.settings.title, "source": STAND_IN, "models": models}

    def histories(self) -> list[dict[str, Any]]:
        """Return the history of each training."""
        titles = self.titles_of_models()
        return [
            {
                "name": entry["name"],
                "title": titles[entry["name"]],
                "seed": entry["seed"],
                "path": f"{self.paths.results}/{entry['folder']}/history.csv",
            }
            for entry in self.trained()
        ]
