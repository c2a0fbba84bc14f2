"""Where a training computes: one process on a CPU, or devices and processes that Lightning Fabric manages."""

from abc import ABC, abstractmethod
from typing import Any, final

import torch
from torch import Tensor, nn

from cloudchamber.errors import SettingsError
from cloudchamber.settings.training import TrainingSettings

__all__ = ["OneProcessOnCPU", "Processes", "processes_of"]


class Processes(ABC):
    """Abstract: the processes of one training, as each of them sees them.

    Attributes:
        device: of this process.
        rank: number of this process.
        size: number of all.
    """

    device: torch.device
    rank: int
    size: int

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes."""
        return self.rank == 0

    @abstractmethod
    def wrap(self, network: nn.Module) -> nn.Module:
        """Return the network as the loss must call it: on the device, in the precision, gradients shared."""

    @abstractmethod
    def backward(self, loss: Tensor) -> None:
        """Compute the gradients, averaged over all processes."""

    @abstractmethod
    def mean(self, value: Tensor) -> float:
        """Return the mean of a number over all processes."""


@final
class OneProcessOnCPU(Processes):
    """One process on a CPU in single precision: what a laptop, a test and most jobs of a default run are."""

    device = torch.device("cpu")
    rank = 0
    size = 1

    def wrap(self, network: nn.Module) -> nn.Module:
        return network

    def backward(self, loss: Tensor) -> None:
        loss.backward()

    def mean(self, value: Tensor) -> float:
        return value.item()


@final
class _FabricProcesses(Processes):
    """GPUs, several processes, reduced precision."""

    def __init__(self, settings: TrainingSettings) -> None:
        # Imported here: it takes as long to import as torch, and a training on one CPU needs nothing of it.
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment

        self._fabric: Any = Fabric(
            accelerator=settings.accelerator,
            devices=settings.devices,
            num_nodes=settings.nodes,
            strategy="ddp" if settings.devices * settings.nodes > 1 else "auto",
            precision=settings.precision,
            # On one node the processes are started from here, inside an allocation of SLURM too; srun starts those of
            # many.
            plugins=LightningEnvironment() if settings.nodes == 1 else None,
        )
        self._fabric.launch()
        self.device, self.rank, self.size = self._fabric.device, self._fabric.global_rank, self._fabric.world_size

    def wrap(self, network: nn.Module) -> nn.Module:
        wrapped: nn.Module = self._fabric.setup_module(network)
        return wrapped

    def backward(self, loss: Tensor) -> None:
        self._fabric.backward(loss)

    def mean(self, value: Tensor) -> float:
        reduced: Tensor = self._fabric.all_reduce(value, reduce_op="mean")
        return reduced.item()


def processes_of(settings: TrainingSettings) -> Processes:
    """Return the processes that a training asks for, after starting those beside this one.

    Raises:
        SettingsError: GPUs are asked for and not there.
    """
    if settings.accelerator == "cuda" and not torch.cuda.is_available():
        raise SettingsError(
            f"training.accelerator: cuda, and torch {torch.__version__} finds no GPU on this machine; without one say"
            " cpu or auto"
        )
    on_cpu = settings.accelerator == "cpu" or (settings.accelerator == "auto" and not torch.cuda.is_available())
    if on_cpu and settings.devices * settings.nodes == 1 and settings.precision == "32-true":
        return OneProcessOnCPU()
    return _FabricProcesses(settings)
