"""Losses of the score, all in the norm of the diffusion D and without what the network cannot change.

With s = n + b0 / D, where b0 is the drift or nothing, score matching is E[D |n|^2 + 2 n . b0 + 2 D div n]. In this
norm the loss lies above its minimum by E[D |s - s*|^2]: by how much E[v D^-1 v] of the score is too large. With the
drift as b0 the minimum is minus the entropy production. Denoising replaces the divergence: for a point z' = m + sigma
xi with normal xi, 2 D n(z') . xi / sigma has the expectation 2 D div n there. Points with xi and with -xi together
(antithetic) leave only their difference, whose variance stays finite where sigma is small.

Where m + sigma xi is a step of the dynamics from a stationary z, its end is stationary too, up to the second order in
the step, and the score that is learned is not smoothed. Added noise smooths it: it learns the score of the density
convolved with a Gaussian of width sigma.
"""

from collections.abc import Callable
from typing import final

import torch
from torch import Tensor

from cloudchamber.studies.active_matter.divergence import jacobian_diagonal
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import LossSettings

__all__ = ["ScoreLoss"]


@final
class ScoreLoss:
    """The loss of each state of a batch, per particle.

    Args:
        settings: which loss.
        model: the score, for its drift; the network itself is an argument of the call.
    """

    def __init__(self, settings: LossSettings, model: ScoreModel) -> None:
        self.settings, self.model = settings, model

    def __call__(
        self,
        network: Callable[..., Tensor],
        state: Tensor,
        drive: Tensor,
        chosen: Tensor | None,
        noise: Tensor,
    ) -> Tensor:
        """Return (B,) losses, the mean over the chosen particles.

        Args:
            network: n, as the training loop wrapped it.
            state: (B, N, C).
            drive: (B, 1, 1).
            chosen: (P,) particles that count; None for all.
            noise: (B, N, C) normal numbers.
        """
        if self.settings.kind == "divergence":
            losses = self._divergence(network, state, drive, chosen)
        else:
            losses = self._denoising(network, state, drive, chosen, noise)
        if self.settings.residual:
            losses = losses + self.settings.residual * self._residual(state, drive)
        return losses

    def _divergence(
        self, network: Callable[..., Tensor], state: Tensor, drive: Tensor, chosen: Tensor | None
    ) -> Tensor:
        diffusions = self.model.diffusions
        values, diagonal = jacobian_diagonal(lambda at: network(at, drive), state, None, graph=True)
        terms = diffusions * values.square() + 2 * values * self.model.base(state, drive) + 2 * diffusions * diagonal
        return _per_particle(terms if chosen is None else terms[:, chosen])

    def _denoising(
        self, network: Callable[..., Tensor], state: Tensor, drive: Tensor, chosen: Tensor | None, noise: Tensor
    ) -> Tensor:
        system = self.model.system
        if self.settings.kind == "transition":
            # The mean is exact in activities. Without noise positions move and are not denoised.
            centre = system.step_mean(state, drive, self.settings.step)
            deviations = torch.tensor(
                system.step_deviations(self.settings.step), dtype=state.dtype, device=state.device
            )
        else:
            centre = state
            deviations = self.settings.sigma * (self.model.diffusions > 0)
        inverse = torch.where(deviations > 0, 1 / deviations, 0.0)
        signs = (1.0, -1.0) if self.settings.antithetic else (1.0,)
        # One call of the network for both signs: small networks spend their time between operations.
        moved = torch.cat([centre + sign * deviations * noise for sign in signs])
        target = torch.cat([sign * noise * inverse for sign in signs])
        drives = torch.cat([drive] * len(signs))
        values = network(moved, drives, chosen)
        linear = self.model.base(moved, drives) + self.model.diffusions * target
        if chosen is not None:
            linear = linear[:, chosen]
        losses = _per_particle(self.model.diffusions * values.square() + 2 * values * linear)
        return losses.unflatten(0, (len(signs), -1)).mean(dim=0)

    def _residual(self, state: Tensor, drive: Tensor) -> Tensor:
        """Return (B,) squares of div v + v . s over the number of particles: zero for the exact score."""
        model = self.model
        velocities, diagonal = jacobian_diagonal(lambda at: model.velocity(at, drive), state, None, graph=True)
        score = model.score(state, drive)
        return ((diagonal + velocities * score).sum(dim=(1, 2)) / state.shape[1]).square()


def _per_particle(terms: Tensor) -> Tensor:
    return terms.sum(dim=2).mean(dim=1)
