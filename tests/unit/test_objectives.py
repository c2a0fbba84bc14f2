"""Losses against formulas written out particle by particle, and their division among processes."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from cloudchamber.generative.objectives import Diffusion, Edm, FlowMatching, build_path_objective
from cloudchamber.generative.task import GenerationTask
from cloudchamber.networks.epic import Epic
from cloudchamber.networks.packing import PackedClouds, Packing, padded
from cloudchamber.settings.networks import EpicSettings
from cloudchamber.settings.objectives import DiffusionSettings, EdmSettings, FlowMatchingSettings

FLOW = FlowMatchingSettings(kind="flow_matching", sigma_min=0.1)
DIFFUSION = DiffusionSettings(kind="diffusion", likelihood_weight=0.2)
EDM = EdmSettings(kind="edm", sigma_max=10.0, data_scale=2.0)
COUNTS = torch.tensor([2, 1, 4])


@pytest.fixture
def draws() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Prediction, clean data and noise of 7 particles in 3 clouds, and the times of the clouds."""
    generator = torch.Generator().manual_seed(6)
    prediction, clean, noise = (3 * torch.randn(7, 3, generator=generator, dtype=torch.float64) for _ in range(3))
    return prediction, clean, noise, torch.tensor([[0.0], [0.4], [1.0]], dtype=torch.float64)


def test_noisy_data_lie_on_the_path_of_their_cloud(draws: tuple[Tensor, ...]) -> None:
    _, clean, noise, time = draws
    for settings in (FLOW, DIFFUSION, EDM):
        objective = build_path_objective(settings)
        noisy = objective.noisy(clean, noise, time, Packing(COUNTS))
        for row, cloud in enumerate([0, 0, 1, 2, 2, 2, 2]):
            now = time[cloud]
            expected = objective.path.signal(now) * clean[row] + objective.path.noise(now) * noise[row]
            torch.testing.assert_close(noisy[row], expected)


def test_the_flow_matching_loss(draws: tuple[Tensor, ...]) -> None:
    prediction, clean, noise, time = draws
    expected = 0.0
    for row in range(7):
        for column in range(3):
            velocity = 0.9 * float(noise[row, column]) - float(clean[row, column])
            expected += (float(prediction[row, column]) - velocity) ** 2
    loss = FlowMatching(FLOW).loss(prediction, clean, noise, time, Packing(COUNTS))
    assert float(loss) == pytest.approx(expected, rel=1e-12)


def test_the_diffusion_loss(draws: tuple[Tensor, ...]) -> None:
    prediction, clean, noise, time = draws
    first, last = math.acos(0.999), math.acos(0.02)
    expected = 0.0
    for row, cloud in enumerate([0, 0, 1, 2, 2, 2, 2]):
        angle = first + (last - first) * float(time[cloud])
        # beta = -2 d/dt ln(signal) of the variance-preserving process.
        weight = 1 + 0.2 * 2 * (last - first) * math.tan(angle) / math.sin(angle)
        for column in range(3):
            error = abs(float(prediction[row, column]) - float(noise[row, column]))
            expected += weight * (error**2 / 2 if error < 1 else error - 0.5)
    loss = Diffusion(DIFFUSION).loss(prediction, clean, noise, time, Packing(COUNTS))
    assert float(loss) == pytest.approx(expected, rel=1e-12)


def test_the_edm_loss_is_the_weighted_error_of_the_clean_data(draws: tuple[Tensor, ...]) -> None:
    prediction, clean, noise, _ = draws
    sigmas = [0.01, 0.5, 20.0]
    expected = 0.0
    for row, cloud in enumerate([0, 0, 1, 2, 2, 2, 2]):
        sigma, data = sigmas[cloud], 2.0
        # arXiv 2206.00364, table 1: the denoiser and the weight of its squared error.
        weight = (sigma**2 + data**2) / (sigma * data) ** 2
        for column in range(3):
            noisy = float(clean[row, column]) + sigma * float(noise[row, column])
            skip, out = data**2 / (sigma**2 + data**2), sigma * data / math.sqrt(sigma**2 + data**2)
            denoised = skip * noisy + out * float(prediction[row, column])
            expected += weight * (denoised - float(clean[row, column])) ** 2
    time = torch.tensor(sigmas, dtype=torch.float64).reshape(3, 1) / 10
    loss = Edm(EDM).loss(prediction, clean, noise, time, Packing(COUNTS))
    assert float(loss) == pytest.approx(expected, rel=1e-9)


def test_edm_keeps_the_inputs_of_the_network_at_unit_size() -> None:
    objective = Edm(EDM)
    generator = torch.Generator().manual_seed(1)
    for sigma, at in ((0.002, 0.0), (0.5, math.log(250) / math.log(5000)), (10.0, 1.0)):
        noisy = 2 * torch.randn(4000, 1, generator=generator) + sigma * torch.randn(4000, 1, generator=generator)
        seen, time = objective.inputs(noisy, torch.tensor([[sigma / 10]]), lambda shared: shared)
        assert float(seen.std()) == pytest.approx(1, abs=0.05)
        assert float(time) == pytest.approx(at, abs=1e-5)


def test_noise_levels_of_edm_are_log_normal() -> None:
    times = Edm(EDM).draw_times(20_000, torch.Generator().manual_seed(1), torch.device("cpu"))
    levels = (10 * times).log()
    assert float(levels.mean()) == pytest.approx(-1.2, abs=4.5 * 1.2 / math.sqrt(20_000))
    assert float(levels.std()) == pytest.approx(1.2, abs=0.03)


def test_a_perfect_prediction_costs_nothing(draws: tuple[Tensor, ...]) -> None:
    _, clean, noise, time = draws
    packing = Packing(COUNTS)
    assert float(FlowMatching(FLOW).loss(0.9 * noise - clean, clean, noise, time, packing)) == 0
    assert float(Diffusion(DIFFUSION).loss(noise, clean, noise, time, packing)) == 0


def test_times_are_uniform_and_one_per_cloud() -> None:
    times = FlowMatching(FLOW).draw_times(10_000, torch.Generator().manual_seed(1), torch.device("cpu"))
    assert times.shape == (10_000, 1)
    assert 0 <= float(times.min()) <= float(times.max()) < 1
    # Kolmogorov-Smirnov distance from the uniform distribution, at a probability of 1e-4.
    steps = torch.arange(1, 10_001) / 10_000
    distance = float((times[:, 0].sort().values - steps).abs().max())
    assert distance < 2.23 / math.sqrt(10_000)


def _task(settings: FlowMatchingSettings | DiffusionSettings | EdmSettings) -> GenerationTask:
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 6, 20)
    points, mask = padded(rng.normal(size=(int(counts.sum()), 3)).astype(np.float32), counts, 6)
    clouds = PackedClouds.from_padded(points, mask, rng.normal(size=(20, 2)).astype(np.float32))
    torch.manual_seed(2)
    network = Epic(3, 2, EpicSettings(layers=1, hidden=8, latent=2, time_features=4))
    return GenerationTask(network, build_path_objective(settings), clouds, clouds, np.abs, seed=1)


def _loss_and_gradient(task: GenerationTask, rows: Tensor, share: slice) -> tuple[float, list[Tensor]]:
    task.network.zero_grad()
    loss = task.loss(task.network, rows, torch.Generator().manual_seed(9), share)
    loss.backward()
    return float(loss.detach()), [parameter.grad.clone() for parameter in task.network.parameters()]


@pytest.mark.parametrize("settings", [FLOW, DIFFUSION, EDM], ids=["flow matching", "diffusion", "edm"])
@pytest.mark.parametrize("processes", [2, 3])
def test_the_mean_over_processes_is_the_loss_of_the_batch(
    settings: FlowMatchingSettings | DiffusionSettings | EdmSettings, processes: int
) -> None:
    task = _task(settings)
    rows = torch.tensor([5, 0, 17, 3, 8, 19, 2, 11, 1, 4, 6, 7])
    whole, whole_gradient = _loss_and_gradient(task, rows, slice(0, 12))
    size = 12 // processes
    shares = [_loss_and_gradient(task, rows, slice(start, start + size)) for start in range(0, 12, size)]
    assert sum(loss for loss, _ in shares) / processes == pytest.approx(whole, rel=1e-5)
    for number, expected in enumerate(whole_gradient):
        mean = torch.stack([gradient[number] for _, gradient in shares]).mean(dim=0)
        torch.testing.assert_close(mean, expected, rtol=1e-4, atol=1e-6)


def test_the_loss_is_a_mean_over_particles() -> None:
    task = _task(FLOW)
    rows = torch.arange(20)
    # Twice the same clouds with other random numbers: the loss keeps its size.
    once, _ = _loss_and_gradient(task, rows, slice(0, 20))
    twice, _ = _loss_and_gradient(task, torch.cat([rows, rows]), slice(0, 40))
    assert twice == pytest.approx(once, rel=0.5)


def test_validation_gives_the_same_figures_each_time() -> None:
    task = _task(FLOW)
    first, second = task.validate(task.network), task.validate(task.network)
    assert first == second
    assert set(first) == {"validation_loss", "w1_jet_mass", "w1_jet_pt"}
    assert all(math.isfinite(value) for value in first.values())
