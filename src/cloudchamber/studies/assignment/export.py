"""The export step: a trained network as an ONNX file, which needs neither this package nor torch to run."""

import json
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from cloudchamber.errors import StorageError
from cloudchamber.networks.onnx_model import onnx_model
from cloudchamber.optional import optional_package
from cloudchamber.storage import write_bytes
from cloudchamber.studies.assignment.network import AssignmentNetwork
from cloudchamber.studies.assignment.stored_network import load_network

__all__ = ["export_assignment"]

# The largest accepted difference of a probability.
_TOLERANCE = 1e-5
_TRIAL_EVENTS = 6


@final
class _Outputs(nn.Module):
    """What is exported: log probabilities of each particle, and the probability that it has all its jets."""

    def __init__(self, network: AssignmentNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        scores = self.network.padded(*inputs)
        return (*(blocks[0] for blocks in scores.blocks), scores.detection.sigmoid())


def export_assignment(weights: Path, description: Path, jets: int, output: Path) -> None:
    """Write a network as ONNX.

    Inputs of the file are ``jets`` (N, J, 5) float32: pt [GeV], eta, phi [rad], mass [GeV] and b-tag, and ``mask`` (N,
    J) bool, true for jets. Outputs are ``log_p_<particle>`` (N, J, ..., J), an axis for each daughter, and
    ``detection`` (N, P). N is free. The meta data name particles and daughters. The best choice of different jets for
    all particles is found outside (``decoding.py``). Before it is written the file is run by onnxruntime on random
    events and compared.

    Args:
        weights, description: the network.
        jets: J.
        output: where the file goes.

    Raises:
        InputError: the network cannot be read, or a package of the export is not installed.
        StorageError: the file gives other numbers than the network, or cannot be written.
    """
    onnx, _, onnxruntime = (
        optional_package(name, "export", "the export") for name in ("onnx", "onnxscript", "onnxruntime")
    )
    stored = load_network(weights, description)
    topology = stored.settings.topology
    module = _Outputs(stored.network).eval()
    names = [*(f"log_p_{name}" for name in topology.names), "detection"]
    trial = _trial_events(max(jets, topology.jets), topology.jets)
    model = onnx_model(module, tuple(values[:2] for values in trial), ("jets", "mask"), names, "events")
    particles = {name: list(particle.daughters) for name, particle in topology.particles.items()}
    onnx.helper.set_model_props(model, {"particles": json.dumps(particles), "jets": json.dumps(trial[0].shape[1])})
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    found = session.run(None, {name: values.numpy() for name, values in zip(("jets", "mask"), trial, strict=True)})
    with torch.no_grad():
        expected = [values.numpy() for values in module(*trial)]
    for one, other in zip(found[:-1], expected[:-1], strict=True):
        _refuse(output, np.exp(one) - np.exp(other))
    _refuse(output, found[-1] - expected[-1])
    write_bytes(output, content)


def _refuse(output: Path, difference: np.ndarray) -> None:
    largest = float(np.abs(difference).max())
    if not largest <= _TOLERANCE:
        raise StorageError(f"{output}: not written: its probabilities are off by up to {largest:.1e}")


def _trial_events(jets: int, least: int) -> tuple[Tensor, Tensor]:
    """Return random events: of the least number of jets, of as many as fit, and in between."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(jets) < torch.linspace(least, jets, _TRIAL_EVENTS).round().unsqueeze(1)
    pt = 30 + 100 * torch.rand(mask.shape, generator=generator)
    angles = torch.randn(*mask.shape, 2, generator=generator)
    mass, tags = 0.1 * pt, torch.rand(mask.shape, generator=generator).round()
    values = torch.stack([pt, angles[..., 0], angles[..., 1], mass, tags], dim=2)
    return torch.where(mask.unsqueeze(2), values, 0.0), mask
