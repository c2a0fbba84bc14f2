"""Decay chains that are simulated within moments."""

from cloudchamber.settings.processes import DecayChainProcess

__all__ = ["CLASSES", "process"]

_QUICK = ("PartonLevel:MPI = off",)
CLASSES = {"2": 2, "3": 3, "4b": 4, "4q": 4, "6": 6, "8": 8}


def process(prongs: str, **changes) -> DecayChainProcess:
    """Return a process of 20 events with changed settings."""
    values = {"kind": "decay_chain", "title": prongs, "prongs": prongs, "events": 20, "commands": _QUICK}
    return DecayChainProcess(**(values | changes))
