"""Which optimiser moves which weights."""

from collections.abc import Sequence

from torch.nn import Parameter

from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.optimizers.adamw import AdamW
from cloudchamber.training.optimizers.muon import Muon, is_matrix
from cloudchamber.training.optimizers.optimizer import Optimizer

__all__ = ["optimizers_of"]


def optimizers_of(parameters: Sequence[Parameter], settings: TrainingSettings) -> dict[str, Optimizer]:
    """Return the optimisers by name, each with its part of the parameters."""

    def adamw(part: Sequence[Parameter]) -> Optimizer:
        return AdamW(part, settings.learning_rate, settings.betas, settings.weight_decay)

    if settings.muon_learning_rate is None:
        return {"adamw": adamw(parameters)}
    matrices = [parameter for parameter in parameters if is_matrix(parameter)]
    others = [parameter for parameter in parameters if not is_matrix(parameter)]
    muon = Muon(matrices, settings.muon_learning_rate, settings.weight_decay)
    return {"muon": muon, "adamw": adamw(others)}
