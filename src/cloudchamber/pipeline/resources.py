"""What the jobs of an analysis ask of the machine or the cluster, beside the numbers that stand in the rules."""

from collections.abc import Callable
from typing import Any, final

from cloudchamber.settings.generators import TrainedModel
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.studies.jet_generation.settings import JetGenerationSettings

__all__ = ["Resources", "growing"]


def growing(first: int) -> Callable[[Any, int], int]:
    """Return a resource of a rule that grows by its ``first`` value with each attempt."""

    def resource(wildcards: Any, attempt: int) -> int:
        return first * attempt

    return resource


@final
class Resources:
    """GPUs, CPUs and processes of the jobs of a study; methods that take ``wildcards`` are functions of Snakemake.

    A training asks for the GPUs that it names; "auto" takes what it finds.
    """

    def __init__(self, study: JetGenerationSettings) -> None:
        self._study = study

    def training_gpus(self, wildcards: Any) -> int:
        return _gpus(self._training(wildcards.model))

    def jet_level_gpus(self, wildcards: Any) -> int:
        jet_level = self._study.jet_level
        return _gpus(jet_level.training) if isinstance(jet_level, JetFlowSettings) else 0

    def posterior_gpus(self, wildcards: Any) -> int:
        return _gpus(self._study.log_posterior.training)

    def sampling_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of one sampling process, which is not distributed."""
        return int(self._training(wildcards.model).accelerator == "cuda")

    def timing_gpus(self, wildcards: Any) -> int:
        """Return the GPUs of the measurement of all models: one where any model is trained on one."""
        trained = (model for model in self._study.models.values() if isinstance(model, TrainedModel))
        return int(any(model.training.accelerator == "cuda" for model in trained))

    def training_cpus(self, wildcards: Any) -> int:
        """Return the CPUs of one task of a training: of all processes on one node, of one where srun starts them."""
        training = self._training(wildcards.model)
        return self._study.threads * (training.devices if training.nodes == 1 else 1)

    def training_nodes(self, wildcards: Any) -> int | None:
        """Return the nodes of a training on several, None, a resource that is not there, on one."""
        training = self._training(wildcards.model)
        return training.nodes if training.nodes > 1 else None

    def training_tasks(self, wildcards: Any) -> int | None:
        """Return the processes that srun starts for a training on several nodes, None on one."""
        training = self._training(wildcards.model)
        return training.nodes * training.devices if training.nodes > 1 else None

    def training_mpi(self, wildcards: Any) -> str | None:
        """Return what tells the SLURM plugin that the command of a training brings its own srun, None on one node."""
        return None if self.training_nodes(wildcards) is None else "srun"

    def launcher(self, wildcards: Any) -> str:
        """Return what starts the processes of a training on several nodes; those of one node start each other."""
        training = self._training(wildcards.model)
        if training.nodes == 1:
            return ""
        shape = f"--nodes={training.nodes} --ntasks-per-node={training.devices}"
        return f"srun {shape} --cpus-per-task={self._study.threads} --kill-on-bad-exit "

    def _training(self, name: str) -> TrainingSettings:
        model = self._study.models[name]
        assert isinstance(model, TrainedModel)
        return model.training


def _gpus(training: TrainingSettings) -> int:
    return training.devices * training.nodes if training.accelerator == "cuda" else 0
