"""What the rules of the tagging study ask for: paths, settings and inputs of its jobs."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

from cloudchamber.analysis import AnalysisSettings
from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.settings.taggers import TransformerTagger
from cloudchamber.settings.tagging_sample import TaggingJetsSettings
from cloudchamber.studies.tagging.settings import TaggingSettings

__all__ = ["ALL_JETS", "TaggingStudy"]

# Part of the path of a training with all jets; one of a learning curve has the jets per class there.
ALL_JETS = "all"


@final
class TaggingStudy:
    """Settings and inputs of the jobs of the tagging study; without such a study, nothing is made.

    Methods that take ``wildcards`` are input and params functions of Snakemake.
    """

    def __init__(self, analysis: AnalysisSettings) -> None:
        self._analysis = analysis
        self.folder = f"{analysis.results}/tagging"
        self.jets = f"{self.folder}/jets.h5"
        self.high_level = f"{self.folder}/high_level.h5"
        self.cost = f"{self.folder}/cost.csv"
        self.relevance = f"{self.folder}/relevance.h5"
        self.tables = {name: f"{self.folder}/{name}.csv" for name in ("metrics", "confusion", "curves", "significance")}

    @property
    def exists(self) -> bool:
        """Whether the settings ask for the study."""
        return self._analysis.tagging is not None

    @property
    def settings(self) -> TaggingSettings:
        assert self._analysis.tagging is not None
        return self._analysis.tagging

    @property
    def threads(self) -> int:
        return self.settings.threads if self.exists else 1

    def models(self) -> list[str]:
        return list(self.settings.models) if self.exists else []

    def amounts(self) -> list[str]:
        """Return the values of the wildcard ``amount``: all jets, and the parts of the learning curve."""
        curve = self.settings.learning_curve if self.exists else None
        return [ALL_JETS, *(str(jets) for jets in (curve.jets_per_class if curve else ()))]

    def training(self, model: str, amount: str, seed: int | str) -> str:
        """Return the folder of one training."""
        return f"{self.folder}/models/{model}/{amount}/seed{seed}"

    def artifact(self, model: str, amount: str, seed: int | str) -> dict[str, str]:
        """Return weights and description of one training."""
        folder = self.training(model, amount, seed)
        return {"weights": f"{folder}/weights.safetensors", "description": f"{folder}/model.json"}

    def first_seed(self, model: str) -> int:
        return self.settings.seeds_of(model)[0]

    def exports(self) -> list[str]:
        """Return the taggers in a form for other programs: the first seed of each."""
        return [f"{self.training(name, ALL_JETS, self.first_seed(name))}/tagger.onnx" for name in self.models()]

    def attentive(self) -> str | None:
        """Return the first model with attention, whose view of jets is drawn."""
        models = self.settings.models.items() if self.exists else ()
        return next((name for name, model in models if isinstance(model.network, TransformerTagger)), None)

    def attentive_files(self, wildcards: Any) -> list[str]:
        name = self.attentive()
        assert name is not None
        return list(self.artifact(name, ALL_JETS, self.first_seed(name)).values())

    # Settings of jobs, as JSON for the command line.

    def class_files(self, wildcards: Any) -> list[str]:
        """Return the clouds of all classes, each file once."""
        datasets = dict.fromkeys(item.dataset for item in self.settings.classes.values())
        return [self._clouds(dataset) for dataset in datasets]

    def jets_settings(self, wildcards: Any) -> str:
        classes = [
            {"name": name, "title": item.title, "file": self._clouds(item.dataset), "label": item.label}
            for name, item in self.settings.classes.items()
        ]
        sample = self.settings.sample.model_dump(mode="json")
        return _dump(TaggingJetsSettings.model_validate({**sample, "classes": classes}))

    def split_files(self, wildcards: Any) -> list[str]:
        """Return the file of indices of the split, where the settings name one."""
        indices = self.settings.sample.split.indices
        return [] if indices is None else [indices]

    def high_level_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.high_level)

    def tagger_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.models[wildcards.tagger].tagger)

    def evaluation_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.evaluation)

    def cost_settings(self, wildcards: Any) -> str:
        return _dump(self.settings.cost)

    def features(self, wildcards: Any) -> list[str]:
        """Return the file of high-level features, for a tagger that takes them."""
        return [self.high_level] if self.settings.takes_features(wildcards.tagger) else []

    def all_features(self, wildcards: Any) -> list[str]:
        """Return the file of high-level features, where any tagger takes them."""
        return [self.high_level] if any(map(self.settings.takes_features, self.settings.models)) else []

    def amount_options(self, wildcards: Any) -> str:
        return "" if wildcards.amount == ALL_JETS else f" --jets-per-class {wildcards.amount}"

    def gpus(self, wildcards: Any) -> int:
        training = self.settings.models[wildcards.tagger].training
        return training.devices if training.accelerator == "cuda" else 0

    def any_gpu(self, wildcards: Any) -> int:
        """Return the GPUs of a measurement of all taggers."""
        return int(any(model.training.accelerator == "cuda" for model in self.settings.models.values()))

    def trained(self, wildcards: Any) -> list[str]:
        return paths_in(self._trained())

    def trained_arguments(self, wildcards: Any) -> str:
        return as_json(self._trained())

    def evaluation_inputs(self, wildcards: Any) -> list[str]:
        return paths_in(self._evaluated())

    def evaluation_arguments(self, wildcards: Any) -> str:
        return as_json(self._evaluated())

    def _trained(self) -> dict[str, dict[str, str]]:
        """Return the first training of each model with all jets."""
        return {name: self.artifact(name, ALL_JETS, self.first_seed(name)) for name in self.settings.models}

    def _evaluated(self) -> dict[str, Any]:
        scores = [
            {
                "name": name,
                "seed": seed,
                "path": f"{self.training(name, amount, seed)}/scores.h5",
                "jets_per_class": None if amount == ALL_JETS else int(amount),
            }
            for name, amount in self._trainings()
            for seed in self.settings.seeds_of(name)
        ]
        costs = {"costs": self.cost} if self.settings.cost else {}
        return {"study": "tagging", "dataset": "all", "scores": scores, **costs}

    def _trainings(self) -> Iterable[tuple[str, str]]:
        curve = self.settings.learning_curve
        learning = (curve.models or self.models()) if curve else ()
        for amount in self.amounts():
            yield from ((name, amount) for name in self.models() if amount == ALL_JETS or name in learning)

    def _clouds(self, dataset: str) -> str:
        return str(Path(self._analysis.results) / "clouds" / f"{dataset}.h5")


def _dump(settings: Any) -> str:
    return as_json(settings.model_dump(mode="json"))
