"""Pythia 8 made ready for a process: one of its own, or events of decay chains that it reads from a file."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

from cloudchamber import seeds
from cloudchamber.errors import SettingsError
from cloudchamber.optional import optional_package
from cloudchamber.settings.processes import ProcessSettings, PythiaProcess
from cloudchamber.simulation.decay_chains import SCALAR
from cloudchamber.simulation.les_houches import write_events
from cloudchamber.simulation.parton_veto import PartonVeto, commands

__all__ = ["FAILURES_ALLOWED", "FAILURE_RATE_ALLOWED", "Generator", "generator"]

FAILURES_ALLOWED = 10
FAILURE_RATE_ALLOWED = 0.05

_PYTHIA_SEED_MAX = 900_000_000
_SWITCH_VALUES = frozenset(("on", "yes", "true", "ok", "1", "off", "no", "false", "0"))
# What begins a comment.
_COMMENT = re.compile(r"[!#].*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
_WHOLE_NUMBER = re.compile(r"[-+]?\d+")
# Properties of particles that are one number, or a switch.
_PARTICLE_NUMBERS = frozenset(("m0", "mwidth", "mmin", "mmax", "tau0"))
_PARTICLE_SWITCHES = frozenset(("onmode", "maydecay", "isresonance", "doexternaldecay", "doforcewidth"))


@final
@dataclass(frozen=True)
class Generator:
    """An initialised ``pythia8mc.Pythia``, and what gives up events of it, if anything does."""

    pythia: Any
    veto: PartonVeto | None

    @property
    def vetoed(self) -> int:
        """Events given up so far."""
        return 0 if self.veto is None else self.veto.vetoed


@contextmanager
def generator(name: str, process: ProcessSettings, seed: int, events: int) -> Iterator[Generator]:
    """Yield a generator that can make ``events`` events and those that replace failures.

    Args:
        name: key of the process in the settings, for messages.
        process: the process.
        seed: 1 to 900,000,000.
        events: how many events will be asked for.

    Raises:
        SettingsError: Pythia refuses a command or the process, or the decay chains cannot be made.
        InputError: Pythia is not installed.
    """
    if not 0 < seed <= _PYTHIA_SEED_MAX:
        raise ValueError(f"seed {seed} is not in 1 to {_PYTHIA_SEED_MAX}")
    if isinstance(process, PythiaProcess):
        low, high = process.pt_hat
        window = (f"PhaseSpace:pTHatMin = {low}", f"PhaseSpace:pTHatMax = {high}")
        yield _generator(name, process, (f"Beams:eCM = {process.energy}", *window), seed)
        return
    with TemporaryDirectory(prefix="cloudchamber_") as folder:
        path = Path(folder) / "events.lhe"
        replacements = FAILURES_ALLOWED + ceil(FAILURE_RATE_ALLOWED * events)
        try:
            write_events(path, process, events + replacements, seeds.generator(seed, "decay chains"))
        except SettingsError as error:
            raise SettingsError(f"processes.{name}.{error}") from None
        of_file = (
            "Beams:frameType = 4",
            f"Beams:LHEF = {path}",
            "LesHouches:setQuarkMass = 0",
            f"{SCALAR}:new = X void 1 0 0 {process.mass[0]}",
        )
        yield _generator(name, process, of_file, seed)


def _generator(name: str, process: ProcessSettings, of_kind: Sequence[str], seed: int) -> Generator:
    pythia = optional_package("pythia8mc", "simulation", "simulation").Pythia("", False)
    for command in process.commands:
        _command(pythia, command, f"processes.{name}.commands")
    # After the commands of the user, which therefore cannot change what the other keys say.
    own = ("Print:quiet = on", *of_kind, *commands(process.keep), "Random:setSeed = on", f"Random:seed = {seed}")
    for command in own:
        _command(pythia, command, f"processes.{name}")
    veto = None if process.keep is None else PartonVeto(process.keep)
    if veto is not None:
        pythia.setUserHooksPtr(veto.hook)
    if not pythia.init():
        raise SettingsError(
            f"processes.{name}: Pythia finds no process it can make with commands {list(process.commands)}, "
            f"{process.scattering}, energy {process.energy:g} GeV"
        )
    return Generator(pythia, veto)


def _command(pythia: Any, command: str, key: str) -> None:
    if not pythia.readString(command, False) or not _understood_value(pythia, command):
        raise SettingsError(f"{key}: Pythia does not understand '{command}'")


def _understood_value(pythia: Any, command: str) -> bool:
    """Return whether the value of a command is a switch or a number as a whole, where it has to be one.

    Without a message Pythia takes any other word for "off", and of a number what is before the first character that
    does not belong to it: 1,000 is 1.
    """
    words = _COMMENT.sub("", command).replace("=", " ").lower().split()
    name, value, *_ = [*words, "", ""]
    code, _, of_particle = name.partition(":")
    if pythia.settings.isFlag(name) or (code.isdecimal() and of_particle in _PARTICLE_SWITCHES):
        return value in _SWITCH_VALUES
    if pythia.settings.isMode(name):
        return _WHOLE_NUMBER.fullmatch(value) is not None
    if pythia.settings.isParm(name) or (code.isdecimal() and of_particle in _PARTICLE_NUMBERS):
        return _NUMBER.fullmatch(value) is not None
    return True
