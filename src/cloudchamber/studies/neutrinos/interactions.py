"""Deep inelastic scattering of neutrinos on free protons at rest with Pythia 8 (arXiv 2203.11601).

Processes are `WeakBosonExchange:ff2ff(t:W)` with a muon or an electron neutrino (charged current) and
`WeakBosonExchange:ff2ff(t:gmZ)` with a muon neutrino (neutral current), at leading order with parton shower and string
fragmentation. There is no nucleus, no quasi-elastic scattering and no resonance: Pythia is asked for nothing below a
momentum transfer squared of 1 GeV^2 and a hadronic mass of 1.5 GeV, nor below 20 GeV of beam energy.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import awkward as ak
import numpy as np

from cloudchamber.errors import SettingsError
from cloudchamber.optional import optional_package
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.settings import BeamSettings

__all__ = ["PROTON_MASS", "Interactions", "Particles", "interact"]

PROTON_MASS = 0.93827
# Code of the neutrino, and the exchange.
_BEAM = {"numu_cc": (14, "W"), "nue_cc": (12, "W"), "nc": (14, "gmZ")}
_COMMANDS = (
    "Print:quiet = on",
    "Beams:frameType = 2",
    "Beams:idB = 2212",
    "Beams:eB = 0",
    "PDF:lepton = off",
    "TimeShower:QEDshowerByL = off",
    "SpaceShower:dipoleRecoil = on",
    "PhaseSpace:pTHatMinDiverge = 0.5",
    # 4 GeV by default, more than most of the partons of a slow neutrino have.
    "PhaseSpace:mHatMin = 1",
)
_HARD = 23
_MILLIMETRE = 0.1  # in cm
# Of a batch; an event that Pythia gives up is replaced by another.
_BATCH = 500
# Beyond so many, or so large a share of events that are given up, something is wrong.
_ALLOWED, _ALLOWED_SHARE = 50, 0.5
# Of so many events at least this share must have the hadronic mass that is asked for.
_SOME, _FEWEST = 5000, 0.01


@final
@dataclass(frozen=True)
class Particles:
    """Stable particles of many events, ordered by event.

    Attributes:
        event: (M,) int64 from 0.
        pdg: (M,) int64.
        momentum: (M, 3) [GeV], the beam along z.
        mass: (M,) [GeV].
        vertex: (M, 3) [cm], relative to the interaction: strange hadrons have decayed on their way.
    """

    event: np.ndarray
    pdg: np.ndarray
    momentum: np.ndarray
    mass: np.ndarray
    vertex: np.ndarray

    def __len__(self) -> int:
        return len(self.event)


@final
@dataclass(frozen=True)
class Interactions:
    """Events of one interaction and energy.

    Attributes:
        particles: what leaves the interaction.
        interaction: position in ``INTERACTIONS``.
        pdg: code of the neutrino.
        energy: of the neutrino [GeV].
        q2: (n,) momentum transfer squared [GeV^2].
        x, y: (n,) Bjorken x and inelasticity.
        w: (n,) mass of the hadrons [GeV].
    """

    particles: Particles
    interaction: int
    pdg: int
    energy: float
    q2: np.ndarray
    x: np.ndarray
    y: np.ndarray
    w: np.ndarray

    def __len__(self) -> int:
        return len(self.q2)


def interact(name: str, energy: float, settings: BeamSettings, events: int, seed: int) -> Iterator[Interactions]:
    """Yield ``events`` events of one interaction and energy, some at a time.

    Args:
        name: "numu_cc", "nue_cc" or "nc".
        energy: of the neutrino [GeV].
        settings: of the beam.
        events: how many; those below ``w_min`` do not count.
        seed: 1 to 900,000,000.

    Raises:
        InputError: Pythia is not installed.
        SettingsError: Pythia refuses the process, or gives up too many events.
    """
    if not events:
        return
    pythia = _pythia(name, energy, settings, seed)
    done = failed = tried = 0
    while done < events:
        made = pythia.nextBatch(_BATCH, "skip")
        tried += _BATCH
        failed += _BATCH - len(made)
        of = f"{tried} events of {name} at {energy:g} GeV"
        if failed > _ALLOWED + _ALLOWED_SHARE * tried:
            raise SettingsError(f"neutrinos.simulation.beam: Pythia gave up {failed} of {of}")
        if tried >= _SOME and done < _FEWEST * tried:
            raise SettingsError(f"neutrinos.simulation.beam.w_min: only {done} of {of} have so large a mass")
        if not len(made):
            continue
        found = _interactions(made.prt, name, energy, settings.w_min, events - done)
        if found is not None:
            done += len(found)
            yield found


def _pythia(name: str, energy: float, settings: BeamSettings, seed: int) -> Any:
    code, boson = _BEAM[name]
    pythia = optional_package("pythia8mc", "simulation", "simulation").Pythia("", False)
    own = (
        f"Beams:idA = {code}",
        f"Beams:eA = {energy}",
        f"WeakBosonExchange:ff2ff(t:{boson}) = on",
        f"PhaseSpace:Q2Min = {settings.q2_min}",
        "Random:setSeed = on",
        f"Random:seed = {seed}",
    )
    for command in (*_COMMANDS, *own):
        if not pythia.readString(command, False):
            raise SettingsError(f"neutrinos.simulation.beam: Pythia does not understand '{command}'")
    if not pythia.init():
        raise SettingsError(f"neutrinos.simulation.beam: Pythia makes no {name} at {energy:g} GeV")
    return pythia


def _interactions(record: ak.Array, name: str, energy: float, w_min: float, most: int) -> Interactions | None:
    """Return the events of a batch that have the hadronic mass, at most so many; None where none has."""
    status, code = record.status, record.id
    lepton = (abs(status) == _HARD) & (abs(code) >= 11) & (abs(code) <= 16)
    outgoing = _momenta(record.p[lepton][:, 0])
    beam = np.array([energy, 0.0, 0.0, energy])
    transfer = beam - outgoing
    q2 = -(transfer[:, 0] ** 2 - (transfer[:, 1:] ** 2).sum(axis=1))
    nu = transfer[:, 0]
    w2 = PROTON_MASS**2 + 2 * PROTON_MASS * nu - q2
    chosen = np.flatnonzero(w2 >= w_min**2)[:most]
    if not len(chosen):
        return None
    record, q2, nu, w2 = record[chosen], q2[chosen], nu[chosen], w2[chosen]
    stable = record[record.status > 0]
    counts = ak.to_numpy(ak.num(stable))
    row = ak.flatten(stable)
    vertex = ak.fill_none(row.vProd, {"px": 0.0, "py": 0.0, "pz": 0.0, "e": 0.0}, axis=0)
    return Interactions(
        particles=Particles(
            event=np.repeat(np.arange(len(counts)), counts),
            pdg=ak.to_numpy(row.id).astype(np.int64),
            momentum=_momenta(row.p)[:, 1:],
            mass=ak.to_numpy(row.m).astype(np.float64),
            vertex=_MILLIMETRE * _momenta(vertex)[:, 1:],
        ),
        interaction=list(INTERACTIONS).index(name),
        pdg=_BEAM[name][0],
        energy=energy,
        q2=q2,
        x=q2 / (2 * PROTON_MASS * nu),
        y=nu / energy,
        w=np.sqrt(w2),
    )


def _momenta(p: ak.Array) -> np.ndarray:
    """Return (n, 4) energy and momentum."""
    return np.stack([ak.to_numpy(p[axis]).astype(np.float64) for axis in ("e", "px", "py", "pz")], axis=1)
