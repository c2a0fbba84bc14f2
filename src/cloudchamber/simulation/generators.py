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
from cloudchamber.simulation.particle_commands import (
    NUMBERS,
    ON,
    SWITCHES,
    decays_of,
    overruled,
    properties_count,
    switched_anew,
)
from cloudchamber.simulation.parton_veto import PartonVeto, commands

__all__ = ["FAILURES_ALLOWED", "FAILURE_RATE_ALLOWED", "Generator", "generator"]

FAILURES_ALLOWED = 10
FAILURE_RATE_ALLOWED = 0.05

_PYTHIA_SEED_MAX = 900_000_000
_SWITCH_VALUES = ON | {"off", "no", "false", "0"}
# What begins a comment.
_COMMENT = re.compile(r"[!#].*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?")
_WHOLE_NUMBER = re.compile(r"[-+]?\d+")
# Properties that switch on or off the decays to particles of some codes.
_CHANNELS = re.compile(r"o(n|ff)(pos|neg)?if(any|all|match)")
_SPECTRUM = "slha:file"
# Settings of what is printed.
_PRINTED = ("init:", "next:", "stat:", "print:")
_PARTICLE_SWITCHES = frozenset((*SWITCHES, "onmode"))


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
    words = [_words(command) for command in process.commands]
    switched = switched_anew(words)
    for place, command in enumerate(process.commands):
        if place == switched or not _counts(pythia, words[place]) or _list_anew(pythia, words[place:]):
            raise SettingsError(f"processes.{name}.commands: '{command}' does not count: a later one says otherwise")
    decays = decays_of(pythia, words)
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
    for command, parts in zip(process.commands, words, strict=True):
        why = overruled(pythia, parts, decays)
        if why is not None:
            raise SettingsError(f"processes.{name}.commands: '{command}' does not count: {why}")
    return Generator(pythia, veto)


def _command(pythia: Any, command: str, key: str) -> None:
    if not pythia.readString(command, False) or not _understood_value(pythia, _words(command.lower())):
        raise SettingsError(f"{key}: Pythia does not understand '{command}'")
    words = _words(command)
    # Without it Pythia goes on with masses and decays of its own.
    if words[:1] and words[0].lower() == _SPECTRUM and not all(Path(word).is_file() for word in words[1:2]):
        raise SettingsError(f"{key}: no file is where '{command}' says")


def _words(command: str) -> list[str]:
    """Return the name of a setting and what follows it."""
    return _COMMENT.sub("", command).replace("=", " ").split()


def _counts(pythia: Any, words: Sequence[str]) -> bool:
    """Return whether a setting still is what a command said: a tune sets many, and of two commands the last counts."""
    name, value, *_ = [*words, "", ""]
    if name.lower().startswith(_PRINTED):
        return True
    if not properties_count(pythia, words):
        return False
    if pythia.settings.isFlag(name):
        return bool(pythia.settings.flag(name)) == (value.lower() in ON)
    if pythia.settings.isMode(name):
        return bool(pythia.settings.mode(name) == int(value))
    if pythia.settings.isWord(name):
        # In braces a word may have spaces.
        return value.startswith("{") or bool(pythia.settings.word(name) == value)
    return not pythia.settings.isParm(name) or bool(pythia.settings.parm(name) == float(value))


def _list_anew(pythia: Any, commands: Sequence[Sequence[str]]) -> bool:
    """Return whether the first of some commands sets a list that a later one sets otherwise."""
    (name, *values), *later = [words or [""] for words in commands]
    lists = (pythia.settings.isFVec, pythia.settings.isMVec, pythia.settings.isPVec, pythia.settings.isWVec)
    if not any(is_list(name) for is_list in lists):
        return False
    return any(other[0].lower() == name.lower() and other[1:] != values for other in later)


def _understood_value(pythia: Any, words: Sequence[str]) -> bool:
    """Return whether the value of a command, in small letters, is understood as a whole: switches, numbers, and lists
    of codes of particles.

    Without a message Pythia takes any other word for "off", of a number what is before the first character that does
    not belong to it, as 1 of 1,000, and of a list what is before a comma.
    """
    name, value, *_ = [*words, "", ""]
    code, _, of_particle = name.partition(":")
    if code.isdecimal():
        return _understood_of_particle(of_particle, words[1:])
    if pythia.settings.isFlag(name):
        return value in _SWITCH_VALUES
    if pythia.settings.isMode(name):
        return _WHOLE_NUMBER.fullmatch(value) is not None
    return not pythia.settings.isParm(name) or _NUMBER.fullmatch(value) is not None


def _understood_of_particle(name: str, values: Sequence[str]) -> bool:
    """Return what :func:`_understood_value` does of a property of a particle."""
    if name in _PARTICLE_SWITCHES:
        return values[:1] != [] and values[0] in _SWITCH_VALUES
    if name in NUMBERS:
        return values[:1] != [] and _NUMBER.fullmatch(values[0]) is not None
    if _CHANNELS.fullmatch(name):
        return all(_WHOLE_NUMBER.fullmatch(value) for value in values)
    return True
