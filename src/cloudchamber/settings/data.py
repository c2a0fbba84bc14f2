"""Settings of clouds: sources, ingestion, preparation."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, final

from pydantic import AfterValidator, Field, model_validator

from cloudchamber.settings.base import Different, Fraction, Name, PositiveFloat, PositiveInt, Settings, Share, Window
from cloudchamber.settings.external import external_files

__all__ = [
    "Constituents",
    "DatasetSettings",
    "DelphesSource",
    "EnergyFlow",
    "EventConstituents",
    "EventWeightUse",
    "IngestionSettings",
    "JetEvents",
    "JetNetSource",
    "JetSelection",
    "JetWindows",
    "LabelledJetSettings",
    "LabelledLayout",
    "LabelledSource",
    "PreparationSettings",
    "RawLayout",
    "ReclusteredJets",
    "SimulatedSource",
    "SplitSettings",
    "StoredJets",
    "TruthMatch",
    "WholeEvents",
]


Constituents = Literal["tower", "energy_flow", "particle", "candidate"]
RawLayout = Literal["delphes", "nanoaod"]
EnergyFlow = Literal["EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron", "ParticleFlowCandidate"]
LabelledLayout = Literal["top_tagging", "jetclass", "jetclass2"]
EventWeightUse = Literal["refuse", "unweight", "keep"]


class JetWindows(Settings, ABC):
    """Abstract: which jets are accepted."""

    pt_window: Window = Field((0.0, 1.0e6), description="accepted transverse momentum of the jet [GeV]")
    mass_window: Window | None = Field(None, description="accepted mass of the jet [GeV]")
    eta_max: PositiveFloat = Field(5.0, description="largest |eta| of the jet")


class JetSelection(JetWindows, ABC):
    """Abstract: which jets of an event become clouds."""

    jets_per_event: PositiveInt = Field(2, description="at most this many accepted jets, hardest first")


@final
class StoredJets(JetSelection):
    """Jets as the file has them: their constituents are found through stored references or indices."""

    kind: Literal["stored"]
    collection: str = Field("Jet", description="branch of the jets")
    puppi: bool | None = Field(
        None,
        description="NanoAOD: whether the momenta of candidates are multiplied by their PUPPI weight; where it is not "
        "said, those of FatJet are",
    )
    jet_labels: Annotated[tuple[str, ...], Different] = Field(
        (), description="leaves of the jet with whole numbers, such as hadronFlavour: labels of its cloud"
    )
    closure: Window = Field(
        (0.5, 2.0), description="accepted pT of the vector sum of a jet's constituents over its stored pT"
    )
    incomplete_share: Share = Field(
        0.01,
        description="largest share of the chosen jets of a file that may lack constituents or not close; such jets are"
        " left out and counted, and above it the file is refused",
    )


@final
class TruthMatch(Settings):
    """Jets that contain all quarks and gluons (prongs) that one heavy particle of the generator decays to."""

    prongs: PositiveInt = Field(description="how many the particle decays to")
    radius: PositiveFloat = Field(1.2, description="largest distance of a prong from the axis of the jet")


class EventConstituents(Settings, ABC):
    """Abstract: which constituents of an event are taken."""

    constituents: Constituents = "tower"
    collections: Annotated[tuple[EnergyFlow, ...], Field(min_length=1), Different] | None = Field(
        None, description="collections of energy flow; else ParticleFlowCandidate in files that have it, or all EFlow*"
    )
    pile_up: Literal["leave_out", "keep"] | None = Field(
        None,
        description="constituents from pile-up; where it is not said, particles are left out, and towers and energy"
        " flow are kept and counted",
    )

    @model_validator(mode="after")
    def _collections_are_of_energy_flow(self) -> Self:
        if self.collections is None:
            return self
        if self.constituents != "energy_flow":
            raise ValueError("collections are of constituents: energy_flow")
        if len(self.collections) > 1 and "ParticleFlowCandidate" in self.collections:
            raise ValueError("ParticleFlowCandidate has the objects of EFlow* already: both would count twice")
        return self

    @property
    def leaves_out_pile_up(self) -> bool:
        return self.pile_up == "leave_out" or (self.pile_up is None and self.constituents == "particle")


@final
class ReclusteredJets(JetSelection, EventConstituents):
    """Jets clustered anew from the constituents of the event."""

    kind: Literal["reclustered"]
    algorithm: Literal["anti-kt", "kt", "cambridge-aachen"] = "anti-kt"
    radius: PositiveFloat = 0.8
    truth_match: TruthMatch | None = Field(
        None, description="keep only accepted jets that match; needs a branch Particle with the hard process"
    )


@final
class WholeEvents(EventConstituents):
    """Each event is one cloud."""

    kind: Literal["events"]


@final
class JetEvents(Settings):
    """Each accepted event is one cloud whose particles are its stored jets, with the jets of the partons of top pairs.

    Cuts decide which events are accepted; all stored jets of those are kept.
    """

    kind: Literal["jet_events"]
    collection: str = Field("Jet", description="branch of the jets, with PT, Eta, Phi, Mass and BTag")
    jets_min: PositiveInt = Field(6, description="least number of jets within pt_min and eta_max")
    b_tags_min: Annotated[int, Field(ge=0)] = Field(2, description="how many of these must have a b-tag")
    pt_min: PositiveFloat = Field(25.0, description="transverse momentum that these exceed [GeV]")
    eta_max: PositiveFloat = Field(2.5, description="|eta| that these stay below")
    partons: Literal["top_pair", "none"] = Field(
        "top_pair", description="find the jets of b, q1 and q2 of both tops, which needs a branch Particle"
    )
    match_radius: PositiveFloat = Field(0.4, description="largest distance of a parton from its jet")


_NANOAOD = {"tree": "Events", "weight_branch": "genWeight"}


@final
class IngestionSettings(Settings):
    """How raw files become padded clouds."""

    clouds: Annotated[StoredJets | ReclusteredJets | WholeEvents | JetEvents, Field(discriminator="kind")]
    max_particles: PositiveInt = Field(description="padded length; the hardest particles are kept")
    extra_leaves: tuple[str, ...] = Field((), description="further leaves of the constituents to keep, such as Eem")
    label_branch: str | None = Field(
        None, description="branch with one whole number per event: the label 'class' of its clouds"
    )
    weight_branch: str | None = Field(
        "Event.Weight",
        description="branch with one number per event, its weight; jets get weights where it is there and the weights "
        "differ; of nanoaod genWeight; null leaves weights unread",
    )
    cross_sections: Mapping[str, PositiveFloat] | Literal["ignore"] = Field(
        {},
        description="cross section [pb] of the files that a path or wildcard names, for files of several slices or "
        "processes; ignore takes events of files that state different ones as alike",
    )
    layout: RawLayout = Field(
        "delphes", description="names of the branches: nanoaod is NanoAOD of CMS with the candidates of PFNano"
    )
    tree: str = Field("Delphes", description="name of the tree; of nanoaod Events")
    step_size: Annotated[str, Field(pattern=r"^\d+ ?[kM]B$")] = Field("8 MB", description="raw data read at a time")
    on_bad_file: Literal["fail", "skip"] = Field("fail", description="unreadable file: stop, or skip and count")
    mixed_files: Literal["fail", "accept"] = Field(
        "fail",
        description="files that differ in collections, leaves or units of what is read: stop, or accept and say so",
    )
    on_bad_event: Literal["fail", "skip"] = Field("fail", description="NaN or infinity: stop, or skip and count")

    @model_validator(mode="before")
    @classmethod
    def _names_of_the_layout(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and values.get("layout") == "nanoaod":
            return {**_NANOAOD, **values}
        return values

    @model_validator(mode="after")
    def _the_layout_has_what_is_read(self) -> Self:
        nano, clouds = self.layout == "nanoaod", self.clouds
        if isinstance(clouds, JetEvents) and nano:
            raise ValueError("clouds.kind: jet_events are read from Delphes files alone")
        if isinstance(clouds, StoredJets) and clouds.puppi is not None and not nano:
            raise ValueError("clouds.puppi: only candidates of nanoaod have PUPPI weights")
        if isinstance(clouds, EventConstituents) and nano != (clouds.constituents == "candidate"):
            raise ValueError("clouds.constituents: candidate is of nanoaod, and nanoaod has no other")
        if isinstance(clouds, ReclusteredJets) and nano and clouds.truth_match is not None:
            raise ValueError("clouds.truth_match: the prongs are read from Delphes files alone")
        return self


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
    layout: LabelledLayout = Field(description="how the files are written: docs/own_data.md")
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
    indices: str | None = Field(None, description="HDF5 file of the parts, instead of fractions: docs/own_data.md")

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
