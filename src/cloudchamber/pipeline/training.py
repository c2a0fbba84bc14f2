"""Trainings of studies, and what their jobs ask of the machine or the cluster: one way for all of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, final

from cloudchamber.launch import srun
from cloudchamber.pipeline.json_arguments import settings_argument
from cloudchamber.pipeline.paths import Paths
from cloudchamber.settings.training import TrainableSettings, TrainingSettings

__all__ = ["Launch", "Training", "Trainings"]


@final
@dataclass(frozen=True)
class Training:
    """One training: a folder of results with weights.safetensors, model.json and history.csv.

    Attributes:
        command: of the command line, such as "train"; one rule serves all trainings of a command.
        folder: of its outputs, below the folder of all results; the state lies in a folder of the same name.
        title: what is trained, for messages.
        source: file that the command reads first.
        settings: what makes the weights.
        seed: of everything random.
        threads: of each process.
        options: what else the command takes.
        inputs: files that the options name.
        memory: of the first attempt [MB].
    """

    command: str
    folder: str
    title: str
    source: str
    settings: TrainableSettings
    seed: int
    threads: int = 1
    options: str = ""
    inputs: tuple[str, ...] = ()
    memory: int = 4000


@final
@dataclass(frozen=True)
class Launch:
    """Processes, GPUs and nodes of a training. A training asks for the GPUs that it names; "auto" takes what it finds.

    Attributes:
        loop: settings of the training loop.
        threads: of each process.
    """

    loop: TrainingSettings
    threads: int

    @property
    def gpus(self) -> int:
        return self.loop.devices * self.loop.nodes if self.loop.accelerator == "cuda" else 0

    @property
    def cpus(self) -> int:
        """CPUs of one task: of all processes on one node, of one process where srun starts them."""
        return self.threads * (self.loop.devices if self.loop.nodes == 1 else 1)

    @property
    def nodes(self) -> int | None:
        """Nodes of a training on several; None, a resource that is not there, on one."""
        return self.loop.nodes if self.loop.nodes > 1 else None

    @property
    def tasks(self) -> int | None:
        """Processes that srun starts for a training on several nodes, None on one."""
        return self.loop.nodes * self.loop.devices if self.loop.nodes > 1 else None

    @property
    def mpi(self) -> str | None:
        """What tells the SLURM plugin that the command of a training brings its own srun, None on one node."""
        return None if self.nodes is None else "srun"

    @property
    def launcher(self) -> str:
        """What starts the processes of a training on several nodes; those of one node start each other."""
        if self.loop.nodes == 1:
            return ""
        return srun(self.loop.nodes, self.loop.devices, self.threads)


@final
class Trainings:
    """All trainings of an analysis. Methods that take ``wildcards`` are input and params functions of Snakemake.

    Args:
        trainings: of all studies.
        paths: of the analysis.
    """

    def __init__(self, trainings: Iterable[Training], paths: Paths) -> None:
        self._of_folder: Mapping[str, Training] = {training.folder: training for training in trainings}
        self._paths = paths

    @property
    def commands(self) -> list[str]:
        """The commands that train: a rule each."""
        return list(dict.fromkeys(training.command for training in self._of_folder.values()))

    def folders(self, command: str) -> list[str]:
        """Return the folders of the trainings of one command: the values of the wildcard ``training``."""
        return [folder for folder, training in self._of_folder.items() if training.command == command]

    def source(self, wildcards: Any) -> str:
        return self._training(wildcards).source

    def inputs(self, wildcards: Any) -> list[str]:
        return list(self._training(wildcards).inputs)

    def options(self, wildcards: Any) -> str:
        options = self._training(wildcards).options
        return f" {options}" if options else ""

    def settings(self, wildcards: Any) -> str:
        return settings_argument(self._training(wildcards).settings)

    def seed(self, wildcards: Any) -> int:
        return self._training(wildcards).seed

    def state(self, wildcards: Any) -> str:
        return f"{self._paths.state}/{wildcards.training}"

    def title(self, wildcards: Any) -> str:
        return self._training(wildcards).title

    def threads(self, wildcards: Any) -> int:
        return self._training(wildcards).threads

    def memory(self, wildcards: Any, attempt: int) -> int:
        return self._training(wildcards).memory * attempt

    def gpus(self, wildcards: Any) -> int:
        return self._launch(wildcards).gpus

    def cpus(self, wildcards: Any) -> int:
        return self._launch(wildcards).cpus

    def nodes(self, wildcards: Any) -> int | None:
        return self._launch(wildcards).nodes

    def tasks(self, wildcards: Any) -> int | None:
        return self._launch(wildcards).tasks

    def mpi(self, wildcards: Any) -> str | None:
        return self._launch(wildcards).mpi

    def launcher(self, wildcards: Any) -> str:
        return self._launch(wildcards).launcher

    def _training(self, wildcards: Any) -> Training:
        return self._of_folder[wildcards.training]

    def _launch(self, wildcards: Any) -> Launch:
        training = self._training(wildcards)
        return Launch(training.settings.training, training.threads)
