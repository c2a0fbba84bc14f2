"""The compiled loops do what torch does, and leave it to torch where they cannot."""

import pytest
import torch
from torch.autograd import forward_ad

from cloudchamber.networks.fused import activate_shifted, activate_sum
from cloudchamber.networks.packing import Packing

COUNTS = torch.tensor([3, 1, 5])


def _rows(dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    sizes = (int(COUNTS.sum()), 7), (int(COUNTS.sum()), 7), (len(COUNTS), 7)
    first, second, clouds = (torch.randn(size, generator=generator).to(dtype) for size in sizes)
    return first, second, clouds


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gradients", [False, True])
def test_shift_of_each_cloud_is_added_before_the_activation(dtype: torch.dtype, gradients: bool) -> None:
    rows, _, clouds = _rows(dtype)
    expected = torch.nn.functional.leaky_relu(rows + clouds[torch.tensor([0, 0, 0, 1, 2, 2, 2, 2, 2])])
    with torch.set_grad_enabled(gradients):
        found = activate_shifted(rows.clone(), clouds, Packing(COUNTS))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gradients", [False, True])
def test_sum_is_that_of_the_activated_rows_of_each_cloud(dtype: torch.dtype, gradients: bool) -> None:
    update, rows, _ = _rows(dtype)
    expected = torch.nn.functional.leaky_relu(update + rows)
    sums = torch.stack([part.sum(dim=0) for part in expected.split(COUNTS.tolist())])
    with torch.set_grad_enabled(gradients):
        found, total = activate_sum(update.clone(), rows, Packing(COUNTS))
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(total, sums)


def test_values_that_are_not_numbers_stay_visible() -> None:
    update, rows, clouds = _rows()
    update[4, 2] = torch.nan
    with torch.inference_mode():
        assert activate_shifted(update.clone(), clouds, Packing(COUNTS))[4, 2].isnan()
        found, total = activate_sum(update.clone(), rows, Packing(COUNTS))
    assert found[4, 2].isnan()
    assert total[2, 2].isnan()


# What torch itself does when it makes the first derivative in forward mode.
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
@pytest.mark.parametrize("of", ["particles", "clouds"])
def test_derivatives_in_forward_mode_are_right_without_gradients(of: str) -> None:
    update, rows, clouds = _rows()
    packing = Packing(COUNTS)
    direction = {"particles": _rows()[1], "clouds": torch.zeros_like(rows)}[of]
    of_clouds = {"particles": torch.zeros_like(clouds), "clouds": clouds.flip(0)}[of]

    def both(change: float) -> torch.Tensor:
        shifted = activate_shifted(update.double() + change * direction, clouds.double() + change * of_clouds, packing)
        return activate_sum(shifted, rows.double() + change * direction, packing)[1]

    with torch.no_grad():
        expected = (both(1e-6) - both(-1e-6)) / 2e-6
        with forward_ad.dual_level():
            particles, terms = forward_ad.make_dual(update, direction), forward_ad.make_dual(clouds, of_clouds)
            shifted = activate_shifted(particles.clone(), terms, packing)
            total = activate_sum(shifted, forward_ad.make_dual(rows, direction), packing)[1]
            found = forward_ad.unpack_dual(total).tangent
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-4)
