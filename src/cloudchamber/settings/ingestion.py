"""Settings of the ingestion: what of raw events becomes a cloud."""

from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, PositiveFloat, PositiveInt, Radius, Settings, Share, Window

__all__ = [
    "Constituents",
    "EnergyFlow",
    "EventConstituents",
    "IngestionSettings",
    "JetEvents",
    "JetSelection",
    "JetWindows",
    "RawLayout",
    "ReclusteredJets",
    "StoredJets",
    "TruthMatch",
    "WholeEvents",
]

Constituents = Literal["tower", "energy_flow", "particle", "candidate"]
RawLayout = Literal["delphes", "nanoaod", "hepmc"]
EnergyFlow = Literal["EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron", "ParticleFlowCandidate"]


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
    radius: Radius | None = Field(
        None, description="largest distance of a prong from the axis of the jet; else the radius of the jets"
    )


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
    radius: Radius = 0.8
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
    b_tag_bit: Annotated[int, Field(ge=0, le=23)] | None = Field(
        None,
        description="bit of BTag, from 0, that says whether a jet has a b-tag, in files of cards with several working"
        " points; where it is not said, files must have the first alone",
    )
    pt_min: PositiveFloat = Field(25.0, description="transverse momentum that these exceed [GeV]")
    eta_max: PositiveFloat = Field(2.5, description="|eta| that these stay below")
    partons: Literal["top_pair", "none"] = Field(
        "top_pair", description="find the jets of b, q1 and q2 of both tops, which needs a branch Particle"
    )
    match_radius: Radius = Field(0.4, description="largest distance of a parton from its jet")


_NANOAOD = {"tree": "Events", "weight_branch": "genWeight"}


@final
class IngestionSettings(Settings):
    """How raw files become padded clouds."""

    clouds: Annotated[StoredJets | ReclusteredJets | WholeEvents | JetEvents, Field(discriminator="kind")]
    max_particles: PositiveInt = Field(description="padded length; the hardest particles are kept")
    extra_leaves: Annotated[tuple[str, ...], Different] = Field(
        (), description="further leaves of the constituents to keep, such as Eem"
    )
    label_branch: str | None = Field(
        None, description="branch with one whole number per event: the label 'class' of its clouds"
    )
    weight_branch: str | None = Field(
        "Event.Weight",
        description="branch with one number per event, its weight; jets get weights where it is there and the weights "
        "differ; of nanoaod genWeight, of hepmc the nominal weight or one by name; null leaves weights unread",
    )
    cross_sections: Mapping[str, PositiveFloat] | Literal["ignore"] = Field(
        {},
        description="cross section [pb] of the files that a path or wildcard names, for files of several slices or "
        "processes; ignore takes events of files that state different ones as alike",
    )
    layout: RawLayout = Field(
        "delphes",
        description="format of the files: nanoaod is NanoAOD of CMS with the candidates of PFNano, hepmc text of HepMC "
        "2 or 3",
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
        if self.layout == "hepmc":
            if not isinstance(clouds, EventConstituents) or clouds.constituents != "particle":
                raise ValueError(
                    "clouds: hepmc has particles alone: kind reclustered or events, constituents: particle"
                )
            if isinstance(clouds, ReclusteredJets) and clouds.truth_match is not None:
                raise ValueError("clouds.truth_match: the prongs are read from Delphes files alone")
            return self
        if isinstance(clouds, JetEvents) and nano:
            raise ValueError("clouds.kind: jet_events are read from Delphes files alone")
        if isinstance(clouds, StoredJets) and clouds.puppi is not None and not nano:
            raise ValueError("clouds.puppi: only candidates of nanoaod have PUPPI weights")
        if isinstance(clouds, EventConstituents) and nano != (clouds.constituents == "candidate"):
            raise ValueError("clouds.constituents: candidate is of nanoaod, and nanoaod has no other")
        if isinstance(clouds, ReclusteredJets) and nano and clouds.truth_match is not None:
            raise ValueError("clouds.truth_match: the prongs are read from Delphes files alone")
        return self
