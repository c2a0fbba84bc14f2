"""What the study trains and where its files lie."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from cloudchamber.classification.plan import ALL_JETS, ClassificationPlan
from cloudchamber.pipeline.paths import Paths
from cloudchamber.settings.taggers import TaggerModel
from cloudchamber.studies.macaron.settings import MacaronSettings

__all__ = ["MacaronPlan", "Variant"]


@final
@dataclass(frozen=True)
class Variant:
    """A model at one learning rate, under a name of its own."""

    model: str
    learning_rate: float
    settings: TaggerModel


@final
class MacaronPlan:
    """Trainings and files of the study.

    Args:
        name: of the study.
        settings: of the study.
        paths: of the analysis.
    """

    def __init__(self, name: str, settings: MacaronSettings, paths: Paths) -> None:
        self.settings = settings
        self.variants = dict(_variants(settings))
        models = {variant: item.settings for variant, item in self.variants.items()}
        # What shared rules see: models that say nothing of arms and learning rates.
        self.taggers = ClassificationPlan(name, settings.model_copy(update={"models": models}), paths)
        folder = paths.study(name)
        self.splitting = {part: f"{folder}/splitting/{part}.csv" for part in ("errors", "orders", "paths")}
        self.refinement = f"{folder}/refinement.csv"
        self.metrics, self.differences = f"{folder}/metrics.csv", f"{folder}/differences.csv"

    def refined(self) -> dict[str, Any]:
        """Return the networks that are evaluated at more steps."""
        return {"trainings": [item | self._artifact(item) for item in self._trainings(self.settings.dynamics)]}

    def evaluated(self) -> dict[str, Any]:
        """Return what the metrics are computed from."""
        scores = []
        for item in self._trainings(self.settings.arms):
            folder = self.taggers.training_folder(item["name"], ALL_JETS, item["seed"])
            scores.append(item | {"scores": f"{folder}/scores.h5", "history": f"{folder}/history.csv"})
        made: dict[str, Any] = {part: self.splitting[part] for part in ("orders", "errors")}
        if self.settings.cost is not None:
            made["costs"] = self.taggers.cost
        if self.settings.refinement is not None:
            made["refinement"] = self.refinement
        return made | {"scores": scores}

    def titles(self) -> list[dict[str, str]]:
        """Return name and title of every model of the settings, in their order."""
        return [{"name": name, "title": model.title} for name, model in self.settings.models.items()]

    def systems(self) -> list[dict[str, str]]:
        """Return name and title of every system of particles."""
        return [{"name": name, "title": item.title} for name, item in self.settings.splitting.systems.items()]

    def _trainings(self, models: Collection[str]) -> Iterable[dict[str, Any]]:
        for name, variant in self.variants.items():
            for seed in self.taggers.settings.seeds_of(name) if variant.model in models else ():
                yield {
                    "name": name,
                    "arm": variant.model,
                    "learning_rate": variant.learning_rate,
                    "seed": seed,
                }

    def _artifact(self, item: Mapping[str, Any]) -> dict[str, str]:
        return self.taggers.artifact(item["name"], ALL_JETS, item["seed"])


def _variants(settings: MacaronSettings) -> Iterable[tuple[str, Variant]]:
    for name, model in settings.models.items():
        if settings.learning_rates is None or name not in settings.arms:
            yield name, Variant(name, model.training.learning_rate, model)
            continue
        for number, rate in enumerate(settings.learning_rates, start=1):
            training = model.training.model_copy(update={"learning_rate": rate})
            yield f"{name}_rate{number}", Variant(name, rate, model.model_copy(update={"training": training}))
