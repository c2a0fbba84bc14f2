"""Tests that need a GPU; they import what training and sampling need and nothing else (docs/gpu.md).

``CLOUDCHAMBER_GPU_TESTS=cpu`` runs the same code on a CPU, to see that it runs: both sides of each comparison are then
the same.
"""

import os

import pytest
import torch


@pytest.fixture(scope="session")
def device() -> torch.device:
    """The device that is compared with the CPU; without a GPU the tests skip and say so."""
    if os.environ.get("CLOUDCHAMBER_GPU_TESTS") == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        pytest.skip(
            f"torch {torch.__version__} finds no GPU (CLOUDCHAMBER_GPU_TESTS=cpu runs the same code on the CPU)"
        )
    return torch.device("cuda")
