"""A process of Pythia for tests: pairs of boosted tops that decay to quarks."""

from typing import Any

from cloudchamber.settings.processes import PythiaProcess

TOP_COMMANDS = ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 1 2 3 4 5")
TOP = PythiaProcess(title="top", commands=TOP_COMMANDS, pt_hat=(950, 1200), events=25, shards=2)


def top_process(*commands: str, **changes: Any) -> PythiaProcess:
    """Return the process with other commands, where any are given, and other settings."""
    return TOP.model_copy(update={"commands": commands or TOP_COMMANDS, **changes})
