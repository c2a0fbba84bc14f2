"""Attention by explicit products is torch's, in single and in mixed precision."""

import pytest
import torch
from torch.nn import functional

from cloudchamber.networks import attention
from cloudchamber.networks.attention import attend

HEADS, WIDTH = 2, 8


def _exact(block: torch.Tensor) -> torch.Tensor:
    queries, keys, values = block.unflatten(2, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
    weights = (queries @ keys.mT * (WIDTH // HEADS) ** -0.5).softmax(dim=3)
    return (weights @ values).transpose(1, 2).flatten(2).flatten(0, 1)


@pytest.mark.parametrize("particles", [1, 30, 64])
def test_mixed_precision_trains_by_products(monkeypatch: pytest.MonkeyPatch, particles: int) -> None:
    """torch's fused attention has a slow backward pass in bfloat16 on a CPU, so that it may not be called there."""
    monkeypatch.setattr(attention.functional, "scaled_dot_product_attention", None)
    generator = torch.Generator().manual_seed(1)
    block = torch.randn(3, particles, 3 * WIDTH, generator=generator).bfloat16().requires_grad_()
    reference = block.detach().double().requires_grad_()
    weights = torch.randn(3 * particles, WIDTH, generator=generator)
    with torch.autocast("cpu", torch.bfloat16):
        found = attend(block, HEADS)
    assert found.dtype == torch.bfloat16
    expected = _exact(reference)
    torch.testing.assert_close(found.double(), expected, rtol=0, atol=0.03)
    (found.float() * weights).sum().backward()
    (expected * weights).sum().backward()
    assert block.grad is not None
    torch.testing.assert_close(block.grad.double(), reference.grad, rtol=0, atol=0.05)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_elsewhere_it_is_the_fused_one(monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype) -> None:
    called = []
    fused = functional.scaled_dot_product_attention

    def spy(*arguments: torch.Tensor, **options: object) -> torch.Tensor:
        called.append(arguments)
        return fused(*arguments, **options)

    monkeypatch.setattr(attention.functional, "scaled_dot_product_attention", spy)
    block = torch.randn(3, 30, 3 * WIDTH, generator=torch.Generator().manual_seed(2)).to(dtype)
    torch.testing.assert_close(attend(block, HEADS).double(), _exact(block.double()), rtol=0, atol=0.03)
    assert called


def test_dropout_of_attention_keeps_its_mean() -> None:
    torch.manual_seed(5)
    for particles in (6, 70):
        block = torch.randn(1, particles, 24)
        mean = torch.stack([attend(block, 2, dropout=0.3) for _ in range(2000)]).mean(dim=0)
        assert (mean - attend(block, 2)).abs().max() < 0.12
        assert len({round(float(attend(block, 2, dropout=0.3).sum()), 4) for _ in range(3)}) == 3
