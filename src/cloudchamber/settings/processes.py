"""Settings of what is simulated: processes of Pythia 8, and decay chains of heavy particles made here."""

import re
from abc import ABC
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, final

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from cloudchamber.settings.base import Different, PositiveFloat, PositiveInt, Radius, Settings, Window

__all__ = ["DecayChainProcess", "FixedMasses", "KeptEvents", "ProcessSettings", "ProngCuts", "Prongs", "PythiaProcess"]

# YAML reads a class such as 2 as a number.
Prongs = Annotated[Literal["2", "3", "4b", "4q", "6", "8"], BeforeValidator(str)]


_BOTTOM_MASS = 4.8  # [GeV]

# Settings of Pythia that are not those of a command, in small letters, with the key that says them.
_DECIDED = {
    # Those of beams that do not collide head-on count with another frameType alone.
    **dict.fromkeys(
        ("beams:ecm", *(f"beams:{what}{beam}" for what in ("e", "px", "py", "pz") for beam in "ab")), "energy"
    ),
    "main:numberofevents": "events",
    # Every shard would read the same events of the file, and their energy is not that of the settings.
    **dict.fromkeys(("beams:frametype", "beams:lhef"), "kind"),
    # All commands after it would be of that run alone, and none of them count.
    "main:subrun": "a process of its own",
    **dict.fromkeys(("random:seed", "random:setseed"), "seed of the analysis"),
}
_PT_HAT = ("phasespace:pthatmin", "phasespace:pthatmax")
# What begins a comment, and values in braces, which may be of many words.
_NO_SETTINGS = re.compile(r"[!#].*|\{[^}]*\}")
# Names of settings, and properties of particles by their codes.
_NAME = re.compile(r"\w+:[A-Za-z]\w*")


def _without(decided: Mapping[str, str]) -> AfterValidator:
    """Return what refuses commands that would not count."""

    def check(commands: tuple[str, ...]) -> tuple[str, ...]:
        for command in commands:
            name = "".join(command.replace("=", " ").lower().split()[:1])
            if name in decided:
                raise ValueError(f"'{command}' would not count, {decided[name]} says this")
            first = command.strip()[:1]
            if not first.isalnum() and first not in ("", "!", "#"):
                raise ValueError(f"'{command}' would not count: to Pythia, what begins with {first} is a comment")
            if name == "include":
                raise ValueError(f"'{command}' would count in part: its commands belong here, one by one")
            second = _second_name(command)
            if second is not None:
                raise ValueError(f"'{second}' in '{' '.join(command.split())}' would not count: a command of its own")
        return commands

    return AfterValidator(check)


def _second_name(command: str) -> str | None:
    """Return the name of a further setting in a command, of which Pythia reads the first alone, or None."""
    words = re.split(r"[\s=;]+", _NO_SETTINGS.sub(" ", command).strip())
    # The value may have a colon too, as a set of parton densities.
    return next((word for word in words[2:] if _NAME.fullmatch(word)), None)


@final
class KeptEvents(Settings):
    """Which events are worth the rest of their simulation: those with a jet of partons in a window.

    The partons are those of the shower when it has come down to ``scale``: a few per cent of the work of an event are
    done by then. The windows must be wider than those of the jets that are wanted, for what later radiation,
    multi-parton interactions, hadrons and the detector change: docs/extreme_jets.md.
    """

    radii: Annotated[tuple[PositiveFloat, ...], Field(min_length=1), Different] = Field(
        (1.1, 1.2, 1.3),
        description="of the anti-kT jets of partons, one of which must be in the window; several, since partons "
        "that are about a radius apart may end in one jet or in two",
    )
    scale: PositiveFloat = Field(10.0, description="transverse momentum of the shower at which it is looked at [GeV]")
    pt: Window = Field(description="transverse momentum of the jet [GeV]")
    mass: Window | None = Field(None, description="mass of the jet [GeV]")
    eta_max: PositiveFloat = Field(5.0, description="largest |eta| of the jet")


class SimulatedProcess(Settings, ABC):
    """Abstract: what all processes have."""

    title: str
    energy: PositiveFloat = Field(13000.0, description="centre-of-mass energy [GeV]")
    events: PositiveInt = Field(description="events to simulate, all shards together; those not kept count")
    shards: PositiveInt = Field(1, description="files, each with its own seed and its own job")
    particles: Literal["all", "hard"] = Field(
        "all", description="what the files keep of the generated particles: all, or those of the hard process alone"
    )
    jet_radius: Radius = Field(0.6, description="radius of the anti-kT jets in the files")
    b_tags: bool = Field(
        False, description="flavour and b-tag of the jets, with the efficiencies of the ATLAS card of Delphes"
    )
    towers: bool = Field(True, description="whether the files keep towers and jets of generated particles")
    generated_jets: bool = Field(True, description="whether the files with towers keep jets of generated particles")
    keep: KeptEvents | None = Field(
        None,
        description="give up events that have no jet in a window, before most of the work; without it all are kept",
    )

    @property
    def physics(self) -> dict[str, Any]:
        """What decides the distributions, as JSON: neither how many events there are nor what their files keep."""
        files = {"particles", "jet_radius", "b_tags", "towers", "generated_jets"}
        every_event = {"keep"} if self.keep is None else set()
        return self.model_dump(mode="json", exclude={"title", "events", "shards", *files, *every_event})


@final
class PythiaProcess(SimulatedProcess):
    """A process of Pythia 8: the commands that switch it on, and how many events."""

    kind: Literal["pythia"] = "pythia"
    commands: Annotated[tuple[str, ...], _without(_DECIDED | dict.fromkeys(_PT_HAT, "pt_hat"))] = Field(
        description="Pythia 8 settings that switch the process on, without those that another key says"
    )
    pt_hat: Window = Field(
        description="limits on the transverse momentum of the hard scattering, of two outgoing particles [GeV]"
    )

    @property
    def scattering(self) -> str:
        """The hard scattering in words."""
        return "pT of the scattering {:g} to {:g} GeV".format(*self.pt_hat)


@final
class ProngCuts(Settings):
    """What the quarks of an accepted decay have in common; decays are drawn anew until they have it."""

    pt_min: Annotated[float, Field(ge=0)] = Field(20.0, description="lowest transverse momentum [GeV]")
    separation_min: Annotated[float, Field(ge=0)] = Field(0.15, description="smallest distance of two quarks")
    radius_max: PositiveFloat = Field(1.1, description="largest distance of a quark from the axis of the parent")


@final
class FixedMasses(Settings):
    """Masses of the resonances that a parent decays to, those of nature by default [GeV]."""

    w: PositiveFloat = Field(80.4, description="of the W; of the two of a lighter h one is off its mass shell")
    higgs: PositiveFloat = Field(125.0, description="of the h")
    top: PositiveFloat = Field(172.5, description="of the top that a scalar decays to")


@final
class DecayChainProcess(SimulatedProcess):
    """Pairs of heavy particles that decay to a number of quarks, flat in pT, mass and rapidity: docs/extreme_jets.md.

    Distances are sqrt(dy^2 + dphi^2) with rapidities y.
    """

    kind: Literal["decay_chain"]
    prongs: Prongs = Field(description="class: number of quarks, where needed with their kind")
    pt: Window = Field((1000.0, 1300.0), description="transverse momentum of the parent [GeV]")
    mass: Window = Field((300.0, 760.0), description="mass of the parent [GeV]")
    rapidity_max: PositiveFloat = Field(1.5, description="largest |rapidity| of the parent")
    masses: Literal["shares", "fixed"] = Field(
        "shares",
        description="masses of intermediate resonances: shares of the mass of what decays, drawn from pair_masses and "
        "top_w_masses, or fixed_masses",
    )
    fixed_masses: FixedMasses = FixedMasses()
    pair_masses: Window = Field(
        (0.30, 0.47), description="mass of each of two equal resonances that a resonance decays to, over its own"
    )
    top_w_masses: Window = Field((0.45, 0.65), description="mass of the W of a top over the mass of the top")
    cuts: ProngCuts = ProngCuts()
    commands: Annotated[
        tuple[str, ...],
        _without(_DECIDED | dict.fromkeys(_PT_HAT, "pt")),
    ] = Field((), description="further Pythia 8 settings, without those that another key says")

    @property
    def scattering(self) -> str:
        """The hard scattering in words."""
        return "pT {:g} to {:g} GeV and mass {:g} to {:g} GeV of the parent".format(*self.pt, *self.mass)

    @model_validator(mode="after")
    def _decays_are_possible(self) -> Self:
        if self.pair_masses[1] >= 0.5:
            raise ValueError("pair_masses must be below 0.5, where two resonances weigh as much as their parent")
        if self.top_w_masses[1] >= 1:
            raise ValueError("top_w_masses must be below 1, where the W weighs as much as its top")
        return self

    @model_validator(mode="after")
    def _fixed_decays_are_possible(self) -> Self:
        fixed = self.fixed_masses
        of_pair = {"4b": fixed.higgs, "4q": fixed.w, "6": fixed.top, "8": fixed.higgs}.get(self.prongs, 0.0)
        if self.masses == "fixed":
            if 2 * of_pair >= self.mass[0]:
                raise ValueError(
                    f"mass: a parent of {self.mass[0]:g} GeV does not decay to two of {of_pair:g} GeV; raise its "
                    "window, or lower fixed_masses"
                )
            decaying = {"3": self.mass[0], "6": fixed.top, "8": fixed.higgs}.get(self.prongs)
            if decaying is not None and fixed.w + _BOTTOM_MASS >= decaying:
                raise ValueError(f"fixed_masses: nothing of {decaying:g} GeV decays to a W of {fixed.w:g} GeV")
        return self


def _kind(process: Any) -> str | None:
    """Return the kind of a process, which those of Pythia need not say; None for what is no process at all."""
    return process.get("kind", "pythia") if isinstance(process, dict) else getattr(process, "kind", None)


ProcessSettings = Annotated[
    Annotated[PythiaProcess, Tag("pythia")] | Annotated[DecayChainProcess, Tag("decay_chain")], Discriminator(_kind)
]
