"""Every network gives the numbers of the CPU, to rounding, and so do its gradients and its predictions."""

from copy import deepcopy

import pytest
import torch
from examples_of_gpu_tests import CLASSES, NETWORKS, PARTICLENET, classifier_jets, moved
from torch import Tensor

from cloudchamber.networks.graph_rows import PackedGraphRows
from cloudchamber.networks.packing import Packing
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.prediction import predict_log_probabilities


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("training", [False, True])
def test_outputs_and_gradients(device: torch.device, name: str, training: bool) -> None:
    example = NETWORKS[name]()
    there = deepcopy(example.network).to(device)
    results: list[Tensor] = []
    for network, at in ((example.network, torch.device("cpu")), (there, device)):
        network.train(training)
        output = network(*(moved(value, at) for value in example.inputs))
        if any(parameter.requires_grad for parameter in network.parameters()):
            (output * output.detach().cos()).sum().backward()
        results.append(output.detach().cpu())
    torch.testing.assert_close(results[1], results[0], rtol=1e-3, atol=2e-4)
    for (parameter, expected), found in zip(example.network.named_parameters(), there.parameters(), strict=True):
        if expected.grad is None:
            assert found.grad is None, parameter
            continue
        scale = float(expected.grad.abs().max()) + 1e-2
        difference = float((found.grad.cpu() - expected.grad).abs().max())
        assert difference < 5e-3 * scale, f"{parameter}: {difference} of {scale}"


@pytest.mark.parametrize("name", ["EPiC", "transformer", "Macaron", "ParticleNet", "particle transformer"])
def test_bfloat16_is_close_to_float32(device: torch.device, name: str) -> None:
    example = NETWORKS[name]()
    network = example.network.to(device).eval()
    inputs = tuple(moved(value, device) for value in example.inputs)
    with torch.no_grad():
        expected = network(*inputs)
        with torch.autocast(device.type, torch.bfloat16):
            found = network(*inputs).float()
    assert (found - expected).abs().mean() < 0.05 * expected.abs().mean()


def test_sums_over_a_cloud_do_not_stand_still_in_half_precision(device: torch.device) -> None:
    ones = torch.ones(300, 1, dtype=torch.bfloat16, device=device)
    # Where each step is rounded, a sum of ones stands still at 256, and a mean of 300 falls below one.
    assert float(Packing(torch.tensor([300], device=device)).sum(ones)) == 300
    rows = PackedGraphRows.of(torch.ones(1, 300, dtype=torch.bool, device=device))
    assert float(rows.mean(ones)) == 1
    slots = torch.arange(300, device=device).expand(1, 300, 300)
    edges = rows.edges(torch.ones(1, 300, 300, dtype=torch.bool, device=device), slots)
    assert float(edges.mean(ones.expand(300, 300).reshape(-1, 1))[0]) == 1


def test_log_posterior(device: torch.device) -> None:
    torch.manual_seed(1)
    network = ParticleNet(PARTICLENET, 5, CLASSES)
    inputs = classifier_jets(200)[:3]
    network(*inputs)  # moves the statistics of the normalisations
    expected = predict_log_probabilities(network, *inputs)
    found = predict_log_probabilities(network.to(device), *inputs)
    assert found.device.type == "cpu"
    torch.testing.assert_close(found, expected, rtol=0, atol=2e-4)
