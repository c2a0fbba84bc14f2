"""Settings of a study of jet taggers: classes, models, learning curve, evaluation."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Name, PositiveInt, Seeds, Settings
from cloudchamber.settings.taggers import DenseTagger, TaggerCostSettings, TaggerModel
from cloudchamber.settings.tagging_sample import (
    ClassName,
    HighLevelSettings,
    TaggingEvaluationSettings,
    TaggingSampleSettings,
)

__all__ = ["ClassificationSettings", "LearningCurveSettings", "TaggedClass"]


@final
class TaggedClass(Settings):
    """A class of the study: the jets of a data set, or those of it with one value of a label."""

    title: str
    dataset: Name
    label: int | None = Field(None, description="value of sample.label_column; without it all jets of the data set")


@final
class LearningCurveSettings(Settings):
    """Trainings with parts of the training jets: how far the sample limits the taggers."""

    jets_per_class: Annotated[tuple[PositiveInt, ...], Different] = Field(
        min_length=1, description="training jets of each class"
    )
    models: Annotated[tuple[Name, ...], Different] | None = Field(
        None, min_length=1, description="taggers to train so; by default all"
    )
    seeds: Seeds | None = Field(
        None, description="one training per size, tagger and seed; by default those of the tagger"
    )


class ClassificationSettings(Settings, ABC):
    """Abstract: taggers, which say to which of several classes a jet belongs."""

    title: str = Field("jets", description="what the jets are")
    classes: Mapping[ClassName, TaggedClass] = Field(min_length=2)
    sample: TaggingSampleSettings = TaggingSampleSettings()
    high_level: HighLevelSettings = HighLevelSettings()
    seeds: Seeds = Field(description="one training per model and seed")
    network: Mapping[str, Any] | None = Field(
        None, description="recipe: keys of the networks of all models of its kind"
    )
    training: Mapping[str, Any] | None = Field(None, description="recipe: keys of the trainings of all models")
    models: Mapping[Name, TaggerModel] = Field(min_length=1)
    learning_curve: LearningCurveSettings | None = None
    evaluation: TaggingEvaluationSettings = TaggingEvaluationSettings()
    cost: TaggerCostSettings | None = Field(None, description="measure parameters, operations and times of the taggers")
    threads: PositiveInt = Field(1, description="threads of one training or prediction")

    @model_validator(mode="after")
    def _classes_are_apart(self) -> Self:
        for name, item in self.classes.items():
            labels = [other.label for other in self.classes.values() if other.dataset == item.dataset]
            if len(labels) > 1 and (item.label is None or labels.count(item.label) > 1):
                raise ValueError(f"classes.{name}: those of '{item.dataset}' need a label each, all different")
        return self

    @model_validator(mode="after")
    def _learning_models_exist(self) -> Self:
        for name in (self.learning_curve.models or ()) if self.learning_curve else ():
            if name not in self.models:
                raise ValueError(f"learning_curve.models: no model '{name}' among {sorted(self.models)}")
        return self

    @model_validator(mode="after")
    def _features_are_made(self) -> Self:
        made = self.high_level.features
        for name, model in self.models.items():
            wanted = getattr(model.network, "features", None)
            if wanted == "basis" and made != wanted:
                raise ValueError(f"models.{name}.network.features: '{wanted}' needs high_level.features: {wanted}")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model."""
        return self.models[model].seeds or self.seeds

    def learning_seeds_of(self, model: str) -> tuple[int, ...]:
        """Return the seeds of one model on the learning curve."""
        chosen = self.learning_curve.seeds if self.learning_curve else None
        return chosen or self.seeds_of(model)

    def takes_features(self, model: str) -> bool:
        """Whether a model takes high-level features instead of towers."""
        return isinstance(self.models[model].network, DenseTagger)
