"""The step of the study of gating that evaluates identities of attention."""

from pathlib import Path

import torch

from cloudchamber import seeds
from cloudchamber.storage import write_rows
from cloudchamber.studies.gating.identities import evaluate_identities
from cloudchamber.studies.gating.settings import GatingSettings

__all__ = ["check_identities"]


def check_identities(settings: GatingSettings, seed: int, output: Path) -> None:
    """Write the largest deviation of each identity of attention as CSV.

    Args:
        settings: of the study.
        seed: of the random inputs.
        output: CSV with the columns of :func:`~cloudchamber.studies.gating.identities.evaluate_identities`.

    Raises:
        StorageError: the file cannot be written.
    """
    generator = torch.Generator().manual_seed(seeds.integer_seed(seed, "gating", "identities"))
    write_rows(output, evaluate_identities(generator, settings.trials))
