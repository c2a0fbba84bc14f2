"""Element by element work of packed networks on a CPU, each row of particles read and written once.

torch makes a pass over memory for each operation: spread the term of a cloud over its particles, add, activate, sum.
Without gradients to keep, compiled loops do all of them while a row is in the cache. Elsewhere (training, a GPU,
bfloat16) the same functions are written with torch.
"""

import numpy as np
import torch
from numba import njit
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.nn.functional import leaky_relu

from cloudchamber.networks.packing import Packing

__all__ = ["activate_shifted", "activate_sum"]

_SLOPE = 0.01


def activate_shifted(particles: Tensor, clouds: Tensor, packing: Packing) -> Tensor:
    """Return leaky_relu(x + c): (M, H) particles, which may be overwritten, and (B, H) terms of their clouds."""
    if not _compiled(particles, clouds):
        return leaky_relu(particles.add_(packing.spread(clouds)), _SLOPE, inplace=True)
    _activate_shifted(particles.numpy(), clouds.numpy(), packing.counts.numpy())
    return particles


def activate_sum(update: Tensor, particles: Tensor, packing: Packing) -> tuple[Tensor, Tensor]:
    """Return leaky_relu(update + particles), (M, H), and its sum over each cloud, (B, H); overwrites ``update``."""
    if not _compiled(update, particles):
        activated = leaky_relu(update.add_(particles), _SLOPE, inplace=True)
        return activated, packing.sum(activated)
    total = update.new_zeros(len(packing.counts), update.shape[1])
    _activate_sum(update.numpy(), particles.numpy(), packing.counts.numpy(), total.numpy())
    return update, total


def _compiled(*tensors: Tensor) -> bool:
    if torch.is_grad_enabled() or any(t.device.type != "cpu" or t.dtype != torch.float32 for t in tensors):
        return False
    # Compiled loops see values alone, so that a derivative in forward mode would be silently wrong.
    return not any(unpack_dual(t).tangent is not None for t in tensors)


@njit(cache=True)
def _activate_shifted(particles: np.ndarray, clouds: np.ndarray, counts: np.ndarray) -> None:
    width = particles.shape[1]
    row = 0
    for cloud in range(len(counts)):
        shift = clouds[cloud]
        for _ in range(counts[cloud]):
            of_particle = particles[row]
            for k in range(width):
                value = of_particle[k] + shift[k]
                of_particle[k] = max(value, np.float32(_SLOPE) * value)
            row += 1


@njit(cache=True)
def _activate_sum(update: np.ndarray, particles: np.ndarray, counts: np.ndarray, total: np.ndarray) -> None:
    width = update.shape[1]
    row = 0
    for cloud in range(len(counts)):
        of_cloud = total[cloud]
        for _ in range(counts[cloud]):
            of_update, of_particle = update[row], particles[row]
            for k in range(width):
                value = of_update[k] + of_particle[k]
                value = max(value, np.float32(_SLOPE) * value)
                of_update[k] = value
                of_cloud[k] += value
            row += 1
