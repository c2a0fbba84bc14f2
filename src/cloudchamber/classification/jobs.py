"""What the rules of taggers ask for: settings and inputs of their jobs."""

from typing import Any, final

from cloudchamber.classification.plan import ALL_JETS, ClassificationPlan
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.settings.tagging_sample import TaggingJetsSettings

__all__ = ["ClassificationJobs"]


@final
class ClassificationJobs:
    """Jobs of the taggers of one study. Methods that take ``wildcards`` are functions of Snakemake.

    Args:
        plan: the taggers.
    """

    def __init__(self, plan: ClassificationPlan) -> None:
        self._plan, self._settings = plan, plan.settings

    def taggers(self) -> list[str]:
        """Values of the wildcard ``tagger``."""
        return list(self._settings.models)

    def sizes(self) -> list[str]:
        """Values of the wildcard ``size``."""
        return self._plan.training_sizes()

    def threads(self, wildcards: Any) -> int:
        return self._settings.threads

    def class_files(self, wildcards: Any) -> list[str]:
        """Return the clouds of all classes, each file once."""
        datasets = dict.fromkeys(item.dataset for item in self._settings.classes.values())
        return [self._plan.paths.clouds(dataset) for dataset in datasets]

    def jets_settings(self, wildcards: Any) -> str:
        classes = [
            {"name": name, "title": item.title, "file": self._plan.paths.clouds(item.dataset), "label": item.label}
            for name, item in self._settings.classes.items()
        ]
        sample, curve = self._settings.sample.model_dump(mode="json"), self._settings.learning_curve
        sizes = curve.jets_per_class if curve else ()
        whole = {**sample, "classes": classes, "learning_curve": sizes}
        return settings_argument(TaggingJetsSettings.model_validate(whole))

    def split_files(self, wildcards: Any) -> list[str]:
        """Return the file of indices of the split, where the settings name one."""
        indices = self._settings.sample.split.indices
        return [] if indices is None else [indices]

    def split_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the file of indices."""
        return stamp(self.split_files(wildcards))

    def high_level_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.high_level)

    def features(self, wildcards: Any) -> list[str]:
        """Return the file of high-level features, for a tagger that takes them."""
        return self._plan.features(wildcards.tagger)

    def features_option(self, wildcards: Any) -> str:
        return _features_option(self.features(wildcards))

    def all_features(self, wildcards: Any) -> list[str]:
        """Return the file of high-level features, where any tagger takes them."""
        return self._plan.all_features()

    def all_features_option(self, wildcards: Any) -> str:
        return _features_option(self.all_features(wildcards))

    def gpus(self, wildcards: Any) -> int:
        """Return the GPUs of a prediction, which is not distributed."""
        return int(self._settings.models[wildcards.tagger].training.accelerator == "cuda")

    def any_gpu(self, wildcards: Any) -> int:
        """Return the GPUs of a measurement of all taggers."""
        return int(any(model.training.accelerator == "cuda" for model in self._settings.models.values()))

    def cost_settings(self, wildcards: Any) -> str:
        assert self._settings.cost is not None
        return settings_argument(self._settings.cost)

    def first_trainings(self, wildcards: Any) -> list[str]:
        """Return weights and descriptions of the first training of each model with all jets."""
        return paths_in(self._first_trainings(), self._plan.paths.results)

    def first_trainings_argument(self, wildcards: Any) -> str:
        return as_json(self._first_trainings())

    def evaluation_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.evaluation)

    def evaluation_inputs(self, wildcards: Any) -> list[str]:
        return paths_in(self._evaluated(), self._plan.paths.results)

    def evaluation_arguments(self, wildcards: Any) -> str:
        return as_json(self._evaluated())

    def _first_trainings(self) -> dict[str, dict[str, str]]:
        return {name: self._plan.first_artifact(name) for name in self._settings.models}

    def _evaluated(self) -> dict[str, Any]:
        scores = [
            {
                "name": name,
                "seed": seed,
                "path": f"{self._plan.training_folder(name, size, seed)}/scores.h5",
                "jets_per_class": None if size == ALL_JETS else int(size),
            }
            for name, size in self._plan.models_and_sizes()
            for seed in self._plan.seeds_of(name, size)
        ]
        costs = {"costs": self._plan.cost} if self._settings.cost else {}
        return {"study": self._plan.study, "dataset": "all", "scores": scores, **costs}


def _features_option(files: list[str]) -> str:
    return "".join(f" --high-level {path}" for path in files)
