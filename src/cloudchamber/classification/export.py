"""The export step: a trained tagger as an ONNX file, which needs neither this package nor torch.

The packages ``onnx``, ``onnxscript`` and ``onnxruntime`` are not among those of the analysis: install the extra
``export``.
"""

import json
from pathlib import Path
from typing import Any, cast, final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.classification.taggers import HighLevelTagger, StoredTagger, Tagger, TowerTagger, load_tagger
from cloudchamber.errors import StorageError
from cloudchamber.networks.onnx_model import onnx_model
from cloudchamber.optional import optional_package
from cloudchamber.storage import write_bytes

__all__ = ["export_tagger"]

# The largest accepted difference of a log probability.
_TOLERANCE = 1e-5
_OUTPUT = "log_probabilities"
_TRIAL_JETS = 8


@final
class _LogProbabilities(nn.Module):
    """What is exported: log probabilities by dense operations."""

    def __init__(self, tagger: Tagger) -> None:
        super().__init__()
        self.tagger = tagger

    def forward(self, *inputs: Tensor) -> Tensor:
        return functional.log_softmax(self.tagger.padded(*inputs), dim=1)


def export_tagger(weights: Path, description: Path, output: Path) -> None:
    """Write a tagger as ONNX.

    Inputs of the file are ``towers`` (N, P, 3) float32: pt_rel, eta_rel, phi_rel, hardest first; ``jet`` (N, 2)
    float32: transverse momentum [GeV] and eta; ``mask`` (N, P) bool, true for real towers; or, for a dense network,
    ``features`` (N, H) float32. The output is ``log_probabilities`` (N, K) float32. N is free, P is the number of
    towers that the tagger looks at: no more than its training jets were cut to. The meta data of the file name classes,
    features and P. Before it is written, the file is run by onnxruntime on jets made of random numbers and compared
    with the tagger.

    Args:
        weights, description: the tagger.
        output: where the file goes.

    Raises:
        InputError: the tagger cannot be read, or a package of the export is not installed.
        StorageError: the file gives other numbers than the tagger, or cannot be written.
    """
    onnx, _, onnxruntime = (
        optional_package(name, "export", "the export") for name in ("onnx", "onnxscript", "onnxruntime")
    )
    stored = load_tagger(weights, description)
    model = _converted(stored)
    towers = {"towers": stored.tagger.towers} if isinstance(stored.tagger, TowerTagger) else {}
    described = {"classes": stored.classes, "features": stored.features, **towers}
    onnx.helper.set_model_props(model, {name: json.dumps(value) for name, value in described.items()})
    content = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    trial = _trial_jets(stored, _TRIAL_JETS)
    names = stored.tagger.input_names
    (found,) = session.run(None, {name: values.numpy() for name, values in zip(names, trial, strict=True)})
    with torch.no_grad():
        expected = functional.log_softmax(stored.tagger(*trial), dim=1).numpy()
    difference = float(np.abs(found - expected).max())
    if not difference <= _TOLERANCE:
        raise StorageError(f"{output}: not written: its log probabilities are off by up to {difference:.1e}")
    write_bytes(output, content)


def _converted(stored: StoredTagger) -> Any:
    """Return the tagger as a model of ONNX."""
    network = _LogProbabilities(stored.tagger).eval()
    return onnx_model(network, _trial_jets(stored, 2), stored.tagger.input_names, [_OUTPUT], "jets")


def _trial_jets(stored: StoredTagger, jets: int) -> tuple[Tensor, ...]:
    """Return inputs of random numbers: jets of one tower, of as many as fit, and in between; or features.

    Features lie where those of the training do: far from there logarithms of probabilities are so large that rounding
    alone takes them apart.
    """
    generator = torch.Generator().manual_seed(0)
    tagger = stored.tagger
    if not isinstance(tagger, TowerTagger):
        inputs = cast(HighLevelTagger, tagger).inputs
        return (inputs.like_training(torch.randn(jets, len(stored.features), generator=generator)),)
    counts = torch.linspace(1, tagger.towers, jets).round()
    mask = torch.arange(tagger.towers) < counts.unsqueeze(1)
    pt = torch.rand(mask.shape, generator=generator) * mask
    angles = 0.4 * torch.randn(*mask.shape, 2, generator=generator)
    towers = torch.cat([(pt / pt.sum(dim=1, keepdim=True)).unsqueeze(2), angles], dim=2)
    jet = torch.stack([torch.full((jets,), 1100.0), torch.linspace(-2, 2, jets)], dim=1)
    return towers * mask.unsqueeze(2), jet, mask
