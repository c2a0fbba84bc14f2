"""Commands of Pythia on properties of particles, and whether they count: a later command, a spectrum (SLHA) or Pythia
itself, which computes widths, lifetimes and branching ratios of resonances, may say otherwise without a message.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any, final

__all__ = ["NUMBERS", "ON", "SWITCHES", "Decays", "decays_of", "overruled", "properties_count", "switched_anew"]

# Properties that are one number, and those that are a switch, in small letters, with what reads them.
NUMBERS: Mapping[str, Callable[[Any, int], float]] = {
    "m0": lambda data, code: data.m0(code),
    "mwidth": lambda data, code: data.mWidth(code),
    "mmin": lambda data, code: data.mMin(code),
    "mmax": lambda data, code: data.mMax(code),
    "tau0": lambda data, code: data.tau0(code),
}
SWITCHES: Mapping[str, Callable[[Any, int], bool]] = {
    "maydecay": lambda data, code: data.mayDecay(code),
    "isresonance": lambda data, code: data.isResonance(code),
    "doexternaldecay": lambda data, code: data.doExternalDecay(code),
    "doforcewidth": lambda data, code: data.doForceWidth(code),
}
# Words for a switch that is on.
ON = frozenset(("on", "yes", "true", "ok", "1"))
# Commands that switch decays on or off, all of a particle or some, and those that say how often they happen.
_SWITCHED = re.compile(r"onmode|o(n|ff)(pos|neg)?if(any|all|match)")
_SHARES = re.compile(r"onechannel|addchannel|\d+:bratio")
_CHANNELS = re.compile(r"onechannel|addchannel|\d+:\w+")
_SHARE_TOLERANCE = 1e-3


@final
@dataclass(frozen=True)
class Decays:
    """The decays of a particle: products of each channel, and its share of all."""

    products: tuple[tuple[int, ...], ...]
    shares: tuple[float, ...]


def properties_count(pythia: Any, words: Sequence[str]) -> bool:
    """Return whether a number or switch of a particle still is what a command said; True of all other commands.

    Args:
        pythia: a ``pythia8mc.Pythia``.
        words: name and values of the command.
    """
    code, name, values = _parts(words)
    if code is None or not values:
        return True
    if name in NUMBERS:
        return isclose(NUMBERS[name](pythia.particleData, code), float(values[0]), rel_tol=1e-9)
    return name not in SWITCHES or SWITCHES[name](pythia.particleData, code) == (values[0].lower() in ON)


def switched_anew(commands: Sequence[Sequence[str]]) -> int | None:
    """Return the place of the first command on decays that a later ``onMode`` of the same particle makes void, or None.

    Args:
        commands: name and values of each, in their order.
    """
    parts = [_parts(words) for words in commands]
    for place, (code, name, values) in enumerate(parts):
        if code is not None and _SWITCHED.fullmatch(name):
            later = [of for of in parts[place + 1 :] if of[:2] == (code, "onmode")]
            if later and (name, values) != ("onmode", later[-1][2]):
                return place
    return None


def decays_of(pythia: Any, commands: Sequence[Sequence[str]]) -> dict[int, Decays]:
    """Return the decays of all particles that commands name, by their codes."""
    codes = {_parts(words)[0] for words in commands} - {None}
    return {code: _decays(pythia, code) for code in codes if code is not None}


def overruled(pythia: Any, words: Sequence[str], before: Mapping[int, Decays]) -> str | None:
    """Return why a command on a particle does not count once Pythia is initialised, and what keeps it, or None.

    Args:
        pythia: initialised.
        words: name and values of the command.
        before: what :func:`decays_of` returned before.
    """
    code, name, _ = _parts(words)
    if code is None:
        return None
    by_spectrum = bool(pythia.settings.word("SLHA:file") not in ("", "void"))
    kept_beside_it = "SLHA:allowUserOverride = on keeps commands beside a spectrum"
    if not properties_count(pythia, words):
        if by_spectrum and not _keeps_commands(pythia):
            return f"the spectrum says otherwise; {kept_beside_it}"
        keeps = {"mwidth": "doForceWidth = on", "tau0": "tauCalc = off"}.get(name)
        return "Pythia sets another one" + ("" if keeps is None else f"; {code}:{keeps} keeps it")
    # With its commands read anew the decays are no longer those before.
    if _keeps_commands(pythia) or not (_SWITCHED.fullmatch(name) or _CHANNELS.fullmatch(name)):
        return None
    now = _decays(pythia, code)
    if now.products != before[code].products:
        return f"the spectrum says other decays; {kept_beside_it}"
    if _SHARES.fullmatch(name) and any(
        abs(share - old) > _SHARE_TOLERANCE for share, old in zip(now.shares, before[code].shares, strict=True)
    ):
        return "Pythia computes other branching ratios; channels whose meMode is 100 keep theirs"
    return None


def _keeps_commands(pythia: Any) -> bool:
    """Return whether commands count more than a spectrum."""
    return bool(pythia.settings.flag("SLHA:allowUserOverride"))


def _parts(words: Sequence[str]) -> tuple[int | None, str, tuple[str, ...]]:
    """Return the code of a particle, or None, the property in small letters, and the values."""
    code, _, name = (words[0] if words else "").lower().partition(":")
    return int(code) if code.isdecimal() else None, name, tuple(word.lower() for word in words[1:])


def _decays(pythia: Any, code: int) -> Decays:
    particle = pythia.particleData.findParticle(code)
    channels = [particle.channel(place) for place in range(particle.sizeChannels())]
    total = sum(channel.bRatio() for channel in channels) or 1.0
    return Decays(
        tuple(tuple(channel.product(place) for place in range(channel.multiplicity())) for channel in channels),
        tuple(channel.bRatio() / total for channel in channels),
    )
