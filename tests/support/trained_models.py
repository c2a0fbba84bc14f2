"""Models trained by stages of the pipeline, for tests of what the library makes of them."""

from collections.abc import Callable, Mapping
from pathlib import Path

from stages import STAGES

from cloudchamber.cli import main

__all__ = ["TRAINED", "maker", "trained"]

TRAINED = {"weights": "weights.safetensors", "description": "model.json"}


def maker(folder: Path) -> Callable[[str, Mapping[str, str]], None]:
    """Return what runs a stage on the files of a folder and names its outputs."""

    def make(name: str, outputs: Mapping[str, str]) -> None:
        assert main(STAGES[name].command(folder, folder / name)) == 0
        for option, target in outputs.items():
            (folder / target).parent.mkdir(exist_ok=True)
            STAGES[name].paths(folder / name)[option].rename(folder / target)

    return make


def trained(where: str) -> dict[str, str]:
    """Return where the outputs of a training go, in a folder of a folder."""
    return {option: f"{where}/{name}" for option, name in TRAINED.items()}
