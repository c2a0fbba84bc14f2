"""Adversarial training: whom each loss teaches, its division among processes, resuming, and that it learns."""

from collections.abc import Callable
from pathlib import Path
from typing import final

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cloudchamber.generative.adversarial import (
    AdversarialPair,
    AdversarialTask,
    build_discriminator,
    generator_weights,
)
from cloudchamber.networks.epic_gan import EpicGenerator
from cloudchamber.networks.packing import PackedClouds, Packing, padded
from cloudchamber.settings.networks import EpicGanSettings
from cloudchamber.settings.objectives import AdversarialSettings
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.trainer import Trained, fit

LATENT = 4
ADVERSARIAL = AdversarialSettings(kind="adversarial", discriminator_layers=1, discriminator_hidden=8)


def _pair(conditions: int, hidden: int = 8) -> AdversarialPair:
    settings = EpicGanSettings(layers=1, hidden=hidden, latent=LATENT)
    objective = ADVERSARIAL.model_copy(update={"discriminator_hidden": hidden})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        generator = EpicGenerator(3, conditions, settings)
        return AdversarialPair(generator, build_discriminator(3, conditions, settings, objective))


@pytest.fixture
def pair() -> AdversarialPair:
    return _pair(conditions=2)


@pytest.fixture
def clouds() -> PackedClouds:
    rng = np.random.default_rng(3)
    counts = rng.integers(1, 6, 20)
    points, mask = padded(rng.normal(size=(int(counts.sum()), 3)).astype(np.float32), counts, 6)
    return PackedClouds.from_padded(points, mask, rng.normal(size=(20, 2)).astype(np.float32))


@pytest.fixture
def task(pair: AdversarialPair, clouds: PackedClouds) -> AdversarialTask:
    return AdversarialTask(pair, LATENT, clouds, clouds, np.abs, seed=1)


def test_each_loss_is_least_squares_and_teaches_its_own_network_alone(
    pair: AdversarialPair, clouds: PackedClouds
) -> None:
    real, packing, conditions = clouds.take(torch.arange(20))
    random = torch.Generator().manual_seed(6)
    noise, cloud_noise = torch.randn(real.shape, generator=random), torch.randn(20, LATENT, generator=random)
    losses = pair(real, noise, conditions, cloud_noise, packing)

    def scores(particles: Tensor) -> Tensor:
        return pair.discriminator(particles, conditions, packing)[:, 0]

    fake = pair.generator(noise, torch.ones(1, 1), torch.cat([conditions, cloud_noise], dim=1), packing)
    of_generator = sum((score - 1) ** 2 for score in scores(fake)) / 20 / 2
    of_discriminator = sum(
        (on_real - 1) ** 2 + on_fake**2 for on_real, on_fake in zip(scores(real), scores(fake), strict=True)
    ) / (2 * 20)
    torch.testing.assert_close(losses, torch.stack([of_generator, of_discriminator]))

    taught = torch.autograd.grad(losses.sum(), list(pair.parameters()))
    expected = [
        *torch.autograd.grad(of_generator, list(pair.generator.parameters()), retain_graph=True),
        *torch.autograd.grad(of_discriminator, list(pair.discriminator.parameters())),
    ]
    for (name, _), gradient, alone in zip(pair.named_parameters(), taught, expected, strict=True):
        assert alone.abs().sum() > 0, name
        torch.testing.assert_close(gradient, alone, rtol=1e-4, atol=1e-7, msg=name)


def test_the_weights_of_the_generator_are_those_it_can_load(pair: AdversarialPair) -> None:
    chosen = generator_weights(pair.state_dict())
    other = EpicGenerator(3, 2, EpicGanSettings(layers=1, hidden=8, latent=LATENT))
    other.load_state_dict(chosen)
    assert sum(value.numel() for value in chosen.values()) == sum(value.numel() for value in other.parameters())


def _loss_and_gradient(task: AdversarialTask, rows: Tensor, share: slice) -> tuple[float, list[Tensor]]:
    task.network.zero_grad()
    loss = task.loss(task.network, rows, torch.Generator().manual_seed(9), share)
    loss.backward()
    gradients = [parameter.grad for parameter in task.network.parameters()]
    return float(loss.detach()), [gradient.clone() for gradient in gradients if gradient is not None]


@pytest.mark.parametrize("processes", [2, 3])
def test_the_mean_over_processes_is_the_loss_of_the_batch(task: AdversarialTask, processes: int) -> None:
    rows = torch.tensor([5, 0, 17, 3, 8, 19, 2, 11, 1, 4, 6, 7])
    whole, whole_gradient = _loss_and_gradient(task, rows, slice(0, 12))
    size = 12 // processes
    shares = [_loss_and_gradient(task, rows, slice(start, start + size)) for start in range(0, 12, size)]
    assert len({loss for loss, _ in shares}) == processes
    assert sum(loss for loss, _ in shares) / processes == pytest.approx(whole, rel=1e-5)
    assert len(whole_gradient) == len(list(task.network.parameters()))
    for number, expected in enumerate(whole_gradient):
        mean = torch.stack([gradient[number] for _, gradient in shares]).mean(dim=0)
        torch.testing.assert_close(mean, expected, rtol=1e-4, atol=1e-6)


def test_validation_gives_the_same_figures_each_time(task: AdversarialTask) -> None:
    first, second = task.validate(task.network), task.validate(task.network)
    assert first == second
    assert set(first) == {"validation_loss", "generator_loss", "discriminator_loss", "w1_jet_mass", "w1_jet_pt"}
    assert first["validation_loss"] == pytest.approx(first["generator_loss"] + first["discriminator_loss"])
    assert np.isfinite(list(first.values())).all()


@final
class _Blind(nn.Module):
    """Scores every cloud alike."""

    def __init__(self) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.tensor(0.5))

    def forward(self, particles: Tensor, conditions: Tensor, packing: Packing) -> Tensor:
        return self.score.expand(len(conditions), 1)


def test_a_discriminator_that_cannot_tell_has_the_losses_of_a_guess(
    pair: AdversarialPair, clouds: PackedClouds
) -> None:
    task = AdversarialTask(AdversarialPair(pair.generator, _Blind()), LATENT, clouds, clouds, np.abs, seed=1)
    figures = task.validate(task.network)
    assert figures["generator_loss"] == pytest.approx(1 / 8)
    assert figures["discriminator_loss"] == pytest.approx(1 / 4)


class _InterruptedError(Exception):
    """Stands for whatever ends a process from outside."""


def _interrupt() -> None:
    raise _InterruptedError


def test_an_interrupted_training_goes_on_to_the_same_bits(clouds: PackedClouds, tmp_path: Path) -> None:
    settings = TrainingSettings(steps=6, batch_size=8, validate_every=3, save_every=3, accelerator="cpu", ema_decay=0.9)

    def run(folder: str, before_validation: Callable[[int], None] = lambda number: None) -> Trained:
        task = AdversarialTask(_pair(conditions=2), LATENT, clouds, clouds, np.abs, seed=1)
        calls = iter(range(1, 10))
        plain = task.validate

        def validate(network: nn.Module) -> dict[str, float]:
            before_validation(next(calls))
            return plain(network)

        task.validate = validate  # type: ignore[method-assign]
        return fit(task, settings, 4, tmp_path / folder, {})

    whole = run("whole")
    with pytest.raises(_InterruptedError):
        run("interrupted", lambda number: _interrupt() if number == 2 else None)
    torch.manual_seed(99)  # as in a new process
    resumed = run("interrupted")
    assert resumed.history == whole.history
    assert [row["step"] for row in whole.history] == [3, 6]
    assert all(torch.equal(value, whole.weights[name]) for name, value in resumed.weights.items())


def _toy_jets(rng: np.random.Generator) -> PackedClouds:
    """Return 500 jets of 3 to 8 particles whose momenta are 0.5 to 1.5, as (eta, phi, pt)."""
    counts = rng.integers(3, 9, 500)
    rows = int(counts.sum())
    values = np.stack([rng.normal(0, 0.5, rows), rng.normal(0, 0.5, rows), rng.uniform(0.5, 1.5, rows)], axis=1)
    points, mask = padded(values.astype(np.float32), counts, 8)
    return PackedClouds.from_padded(points, mask, np.zeros((500, 0), np.float32))


def test_training_brings_the_jets_nearer_to_the_data(rng: np.random.Generator, tmp_path: Path) -> None:
    task = AdversarialTask(_pair(0, hidden=16), LATENT, _toy_jets(rng), _toy_jets(rng), lambda values: values, seed=1)
    settings = TrainingSettings(
        steps=250,
        batch_size=64,
        learning_rate=2e-3,
        betas=(0.1, 0.9),
        ema_decay=0.98,
        validate_every=250,
        accelerator="cpu",
    )
    before = task.validate(task.network)
    after = fit(task, settings, 4, tmp_path, {}).history[-1]
    assert after["w1_jet_pt"] < before["w1_jet_pt"] / 3
    assert after["w1_jet_mass"] < before["w1_jet_mass"] / 2
