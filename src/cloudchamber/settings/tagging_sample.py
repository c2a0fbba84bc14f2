"""Settings of the tagging study: which jets of which classes, their high-level features, how taggers are judged."""

from abc import ABC
from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Fraction, PositiveFloat, PositiveInt, Radius, Settings, Window
from cloudchamber.settings.data import EventWeightUse, SplitSettings

__all__ = [
    "ClassName",
    "FeatureSet",
    "FlatWeightSettings",
    "HighLevelSettings",
    "JetClassSettings",
    "TaggingEvaluationSettings",
    "TaggingJetsSettings",
    "TaggingSampleSettings",
]


FeatureSet = Literal["standard", "basis"]
# A class may be called by its number of prongs.
ClassName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$")]


@final
class JetClassSettings(Settings):
    """A class of jets: all jets of a cloud file, or those with one value of its label."""

    name: ClassName
    title: str
    file: str = Field(description="cloud file of the ingested jets")
    label: int | None = Field(None, description="value of the label column that marks the class; without it all jets")


@final
class FlatWeightSettings(Settings):
    """Weights that make jet mass and jet pT of each class flat within the windows."""

    mass_bins: PositiveInt = Field(8, description="bins of equal width in jet mass")
    pt_bins: PositiveInt = Field(4, description="bins of equal width in jet pT")
    cap: Annotated[float, Field(gt=1)] = Field(20.0, description="largest weight, in units of the mean of the class")
    effective_share: Fraction = Field(
        0.1, description="least effective sample size of a class in units of its jets; below it is an error"
    )


class _TaggingSample(Settings, ABC):
    """Abstract: which jets of the classes are taken, and how they are weighted and split."""

    label_column: str = Field("class", description="label that tells classes of the same file apart")
    pt_window: Window | None = Field(None, description="accepted transverse momentum of the jet [GeV]; without it all")
    mass_window: Window | None = Field(None, description="accepted mass of the jet [GeV]; without it all")
    eta_max: PositiveFloat | None = Field(None, description="largest |eta| of the jet; without it all")
    jets_per_class: PositiveInt | None = Field(None, description="at most so many, drawn by the seed; else all")
    max_particles: PositiveInt = Field(230, description="padded length; the hardest particles are kept")
    flat: bool = Field(
        False, description="weights flat in mass and pT within both windows; false gives all jets the weight one"
    )
    weights: FlatWeightSettings = FlatWeightSettings()
    event_weights: EventWeightUse = Field(
        "refuse",
        description="jets with event weights: refused; or drawn by them, so that all weigh the same; or kept with "
        "their weights as a factor of those of taggers and their measures",
    )
    mixed_classes: Literal["fail", "accept"] = Field(
        "fail",
        description="classes whose jets were made with other radii, constituents, collections, windows or numbers of "
        "particles, which taggers would tell apart: stop, or accept and say so",
    )
    split: SplitSettings = SplitSettings(train=0.7, validation=0.1)

    @model_validator(mode="after")
    def _flat_within_windows(self) -> Self:
        if self.flat and (self.pt_window is None or self.mass_window is None):
            raise ValueError("flat: weights that are flat in mass and pT need pt_window and mass_window")
        return self


@final
class TaggingSampleSettings(_TaggingSample):
    """Jets that taggers are trained and tested with, without where they come from."""


@final
class TaggingJetsSettings(_TaggingSample):
    """Jets of all classes in one file, as taggers are trained and tested with."""

    classes: tuple[JetClassSettings, ...] = Field(min_length=2)
    learning_curve: tuple[PositiveInt, ...] = Field(
        (), description="training jets of each class that trainings ask for; where there are fewer it is an error"
    )

    @model_validator(mode="after")
    def _classes_are_apart(self) -> Self:
        names = [item.name for item in self.classes]
        if len(set(names)) < len(names):
            raise ValueError("classes: two of them have the same name")
        for item in self.classes:
            labels = [other.label for other in self.classes if other.file == item.file]
            if len(labels) > 1 and (None in labels or len(set(labels)) < len(labels)):
                raise ValueError(f"classes: those of '{item.file}' need a label each, all different")
        return self


@final
class HighLevelSettings(Settings):
    """High-level features of a jet: its mass and N-subjettiness variables (arXiv 2202.00723)."""

    features: FeatureSet = Field(
        "standard", description="mass and tau_1 to tau_8 for beta 1 and 2, or tau_1 to tau_45 for beta 0.5, 1 and 2"
    )
    radius: Radius = Field(1.2, description="of the jets: R0 of the N-subjettiness")


@final
class TaggingEvaluationSettings(Settings):
    """How taggers are judged on the test part."""

    bootstraps: Annotated[int, Field(ge=2)] = Field(100, description="resamplings of the test jets")
    calibration_bins: PositiveInt = Field(15, description="bins of equal width in the probability of the chosen class")
    mass_bins: PositiveInt = Field(8, description="bins of accuracy against jet mass")
    pt_bins: PositiveInt = Field(4, description="bins of accuracy against jet pT")
