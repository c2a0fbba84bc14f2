"""What the tests of faults know of a command that writes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

__all__ = ["OUTPUT", "TABLE", "TRAINED", "Stage", "training_settings"]

OUTPUT = {"output": ".h5"}
TABLE = {"output": ".csv"}
TRAINED = {"weights": ".safetensors", "description": ".json", "history": ".csv"}


def training_settings(steps: int, **changes: Any) -> dict[str, Any]:
    """Return settings of the training loop that save every tenth step."""
    every = {"validate_every": max(steps // 2, 1), "save_every": 10}
    return {"steps": steps, "batch_size": 32, "warmup_steps": 5, "accelerator": "cpu", **every, **changes}


@final
@dataclass(frozen=True)
class Stage:
    """A command that writes.

    Attributes:
        name: of the command, that of a study's own with the study before it.
        outputs: options of its outputs with the suffix of each.
        arguments: what else it takes, from the folder of inputs, where "{work}" is a folder of the run.
        writer: what writes its outputs. Faults while a file is written are tried on one stage of each writer.
    """

    name: str
    outputs: Mapping[str, str]
    arguments: Callable[[Path], list[str | Path]]
    writer: str

    def paths(self, folder: Path) -> dict[str, Path]:
        """Return where the outputs go, each in a folder of its own."""
        return {option: folder / option / f"out{suffix}" for option, suffix in self.outputs.items()}

    def command(self, inputs: Path, folder: Path) -> list[str]:
        """Return the arguments of a run that writes into ``folder``."""
        outputs = [str(item) for option, path in self.paths(folder).items() for item in (f"--{option}", path)]
        given = [str(item).replace("{work}", str(folder)) for item in self.arguments(inputs)]
        return [*self.name.split(), *given, *outputs]
