"""Settings of data sets: where clouds come from, and how they are prepared."""

from typing import Annotated, Literal, Self, final

from pydantic import AfterValidator, Field, model_validator

from cloudchamber.settings.base import Fraction, Name, PositiveInt, Settings
from cloudchamber.settings.external import external_files
from cloudchamber.settings.ingestion import IngestionSettings, JetWindows

__all__ = [
    "DatasetSettings",
    "DelphesSource",
    "EventWeightUse",
    "JetNetSource",
    "LabelledJetSettings",
    "LabelledLayout",
    "LabelledSource",
    "PreparationSettings",
    "SimulatedSource",
    "SplitSettings",
]


LabelledLayout = Literal["top_tagging", "jetclass", "jetclass2"]
EventWeightUse = Literal["refuse", "unweight", "keep"]


@final
class SimulatedSource(Settings):
    """The raw files that the pipeline simulates."""

    kind: Literal["simulated"]
    process: Name


@final
class DelphesSource(Settings):
    """Delphes files that are already there."""

    kind: Literal["delphes"]
    files: tuple[str, ...] = Field(min_length=1, description="paths and wildcards, as in data/*.root or data/**/*.root")


def _known(name: str) -> str:
    if name not in (names := external_files()):
        raise ValueError(f"no external file '{name}' among {sorted(names)}")
    return name


@final
class JetNetSource(Settings):
    """A file in the layout of JetNet (arXiv 2106.11535): one to be downloaded, or one that is already there."""

    kind: Literal["jetnet"]
    download: Annotated[Name, AfterValidator(_known)] | None = Field(
        None, description="name in the table of external files, such as jetnet30_top"
    )
    file: str | None = Field(None, description="path of a file that is already there")
    max_particles: PositiveInt | None = Field(None, description="keep this many particles, the hardest; else all")

    @model_validator(mode="after")
    def _one_file(self) -> Self:
        if (self.download is None) == (self.file is None):
            raise ValueError("give either download, a name in the table of external files, or file, a path")
        return self


@final
class LabelledJetSettings(JetWindows):
    """Which jets of a public layout with labels are read, and how they become padded clouds."""

    max_particles: PositiveInt = Field(description="padded length; the hardest particles are kept")


@final
class LabelledSource(Settings):
    """Jets with the label ``class``, in files of a public layout that are already there."""

    kind: Literal["labelled"]
    layout: LabelledLayout = Field(description="how the files are written: docs/own_data/labelled_jets.md")
    files: tuple[str, ...] = Field(min_length=1, description="paths and wildcards, as in data/*.root or data/**/*.root")
    jets: LabelledJetSettings


@final
class SplitSettings(Settings):
    """Fractions of the events, what is left being the test part; or parts that a file of indices lists.

    The two jets of an event go to the same part. Clouds without events, such as those of JetNet, are independent.
    """

    train: Fraction = 0.5
    validation: Fraction = 0.1
    order: Literal["random", "stored"] = Field(
        "random", description="events drawn by the seed, or taken in the order of the files: training, validation, test"
    )
    indices: str | None = Field(None, description="HDF5 file of parts instead of fractions: docs/own_data/splits.md")

    @model_validator(mode="after")
    def _leaves_a_test_part(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train + validation must be below 1, the rest is the test part")
        return self

    @model_validator(mode="after")
    def _fractions_or_indices(self) -> Self:
        # Written settings hold all keys, so that a default cannot be told from what the user left out.
        changed = [name for name in ("train", "validation", "order") if getattr(self, name) != _default(self, name)]
        if self.indices is not None and changed:
            raise ValueError(f"indices says what is in each part: leave out {' and '.join(changed)}")
        return self


def _default(settings: Settings, name: str) -> object:
    return type(settings).model_fields[name].default


@final
class PreparationSettings(Settings):
    """How clouds become the input of networks."""

    split: SplitSettings = SplitSettings()
    pt_scale: Literal["linear", "sqrt", "log"] = Field(
        "sqrt", description="scale on which networks see pt_rel; sqrt and log keep it positive"
    )
    event_weights: EventWeightUse = Field(
        "refuse",
        description="jets with event weights: refused; or drawn by them, so that all weigh the same; or kept with "
        "their weights, which no training of a generative model takes",
    )


@final
class DatasetSettings(Settings):
    """A data set: where its raw files are and how they become clouds."""

    title: str
    source: Annotated[SimulatedSource | DelphesSource | JetNetSource | LabelledSource, Field(discriminator="kind")]
    ingestion: IngestionSettings | None = Field(
        None, description="needed for simulated and Delphes files, and only there"
    )
    files_per_job: PositiveInt = Field(
        50,
        description="raw files that one job of the ingestion reads; more are shared by several jobs, at most 200, and "
        "joined",
    )
    preparation: PreparationSettings = PreparationSettings()

    @model_validator(mode="after")
    def _root_files_are_ingested(self) -> Self:
        has_jets = isinstance(self.source, JetNetSource | LabelledSource)
        if has_jets and self.ingestion is not None:
            raise ValueError(
                f"ingestion is for ROOT files of events; a source of kind {self.source.kind} has jets already"
            )
        if not has_jets and self.ingestion is None:
            raise ValueError(f"ingestion is needed for a source of kind {self.source.kind}")
        return self
