"""What a study of taggers makes: its models, where their files lie, and their trainings."""

from collections.abc import Iterable
from typing import final

from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.classification import ClassificationSettings
from cloudchamber.settings.taggers import TransformerTagger

__all__ = ["ALL_JETS", "ClassificationPlan"]

# Part of the path of a training with all jets; one of a learning curve has the jets per class there.
ALL_JETS = "all"


@final
class ClassificationPlan:
    """Taggers of one study.

    Args:
        study: name of the study.
        settings: classes, models, and how they are judged.
        paths: of the analysis.
    """

    def __init__(self, study: str, settings: ClassificationSettings, paths: Paths) -> None:
        self.study, self.settings, self.paths = study, settings, paths
        self.folder = paths.study(study)
        self.jets = f"{self.folder}/jets.h5"
        self.high_level = f"{self.folder}/high_level.h5"
        self.cost = f"{self.folder}/cost.csv"
        self.tables = {name: f"{self.folder}/{name}.csv" for name in ("metrics", "confusion", "curves", "significance")}

    def training_sizes(self) -> list[str]:
        """Return the values of the wildcard ``size``: all jets, and the parts of the learning curve."""
        curve = self.settings.learning_curve
        return [ALL_JETS, *(str(jets) for jets in (curve.jets_per_class if curve else ()))]

    def training_folder(self, model: str, size: str, seed: int | str) -> str:
        """Return the folder of one training."""
        return f"{self.folder}/models/{model}/{size}/seed{seed}"

    def artifact(self, model: str, size: str, seed: int | str) -> dict[str, str]:
        """Return weights and description of one training."""
        folder = self.training_folder(model, size, seed)
        return {"weights": f"{folder}/weights.safetensors", "description": f"{folder}/model.json"}

    def first_artifact(self, model: str) -> dict[str, str]:
        """Return weights and description of the first training of a model with all jets."""
        return self.artifact(model, ALL_JETS, self.settings.seeds_of(model)[0])

    def exports(self) -> list[str]:
        """Return the taggers in a form for other programs: the first seed of each."""
        settings = self.settings
        return [
            f"{self.training_folder(name, ALL_JETS, settings.seeds_of(name)[0])}/tagger.onnx"
            for name in settings.models
        ]

    def features(self, model: str) -> list[str]:
        """Return the file of high-level features, for a tagger that takes them."""
        return [self.high_level] if self.settings.takes_features(model) else []

    def all_features(self) -> list[str]:
        """Return the file of high-level features, where any tagger takes them."""
        return [self.high_level] if any(map(self.settings.takes_features, self.settings.models)) else []

    def attentive(self) -> str | None:
        """Return the first model with attention, whose view of jets can be drawn."""
        models = self.settings.models.items()
        return next((name for name, model in models if isinstance(model.network, TransformerTagger)), None)

    def models_and_sizes(self) -> Iterable[tuple[str, str]]:
        """Return every model with each size of its training sample."""
        curve = self.settings.learning_curve
        learning = (curve.models or tuple(self.settings.models)) if curve else ()
        for size in self.training_sizes():
            yield from ((name, size) for name in self.settings.models if size == ALL_JETS or name in learning)

    def seeds_of(self, model: str, size: str) -> tuple[int, ...]:
        """Return the seeds of the trainings of a model with one size of its sample."""
        settings = self.settings
        return settings.seeds_of(model) if size == ALL_JETS else settings.learning_seeds_of(model)

    def trainings(self) -> Iterable[Training]:
        """Return every training: of each model with all jets, and those of the learning curve."""
        for name, size in self.models_and_sizes():
            features = self.features(name)
            options = [f"--high-level {path}" for path in features]
            options += [] if size == ALL_JETS else [f"--jets-per-class {size}"]
            for seed in self.seeds_of(name, size):
                yield Training(
                    command="train-tagger",
                    folder=self.training_folder(name, size, seed).removeprefix(f"{self.paths.results}/"),
                    title=f"the tagger {name} with {size} jets",
                    source=self.jets,
                    settings=self.settings.models[name].tagger,
                    seed=seed,
                    threads=self.settings.threads,
                    options=" ".join(options),
                    inputs=tuple(features),
                    memory=6000,
                )
