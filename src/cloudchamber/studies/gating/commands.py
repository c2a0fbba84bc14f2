"""Commands of the gating study."""

from cloudchamber.arguments import Commands

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    count = commands.add("count", "count the Boolean functions of gates and of gated gates")
    count.settings("the study").outputs("counts", "metrics")

    identities = commands.add("check-identities", "evaluate identities of attention on random inputs")
    identities.settings("the study").seed().output()

    commands.add("count-five-inputs", "count the functions of five inputs and compare the stored numbers").output()
