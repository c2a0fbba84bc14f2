"""Predictions of classifiers."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cloudchamber.networks.folded_particlenet import with_folded_norms
from cloudchamber.progress import progress

__all__ = ["predict_log_probabilities"]


def predict_log_probabilities(network: nn.Module, *inputs: Tensor, chunk: int = 64) -> Tensor:
    """Return ln p(class | cloud) of a classifier, (N, K) float64 on the CPU.

    A copy of the network in evaluation mode is used: no dropout, and batch normalisation with the stored statistics, so
    that a cloud scores the same whatever else is scored with it.

    Args:
        network: maps ``inputs`` to logits.
        inputs: N rows each, such as coordinates (N, P, D), features (N, P, F) and mask (N, P), on any device.
        chunk: clouds per call; small pieces stay in the cache of a CPU.
    """
    device = next(network.parameters()).device
    pieces = []
    with torch.inference_mode(), progress("classification", len(inputs[0]), "clouds") as report:
        inference = with_folded_norms(network)
        for some in zip(*(values.split(chunk) for values in inputs), strict=True):
            logits = inference(*(values.to(device) for values in some))
            pieces.append(functional.log_softmax(logits.double(), dim=1).cpu())
            report.update(len(logits))
    return torch.cat(pieces)
