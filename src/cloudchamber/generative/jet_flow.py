"""A normalising flow of jets as a whole: transverse momentum, pseudorapidity, mass, sum of particles, multiplicity.

What published studies draw their conditions and multiplicities from as well (EPiC-JeDi code; PC-Droid code: four stacks
of rational-quadratic splines with ten bins). The splines are those of Neural Spline Flows (arXiv 1906.04032), here
autoregressive, on features that are Gaussianised one by one (:mod:`cloudchamber.generative.jet_scales`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
import torch
from torch import Tensor, nn
from zuko.flows import NSF

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.generative.gaussianisation import Discrete
from cloudchamber.generative.jet_features import CONTINUOUS
from cloudchamber.generative.jet_scales import JetScales
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.training.task import Task

__all__ = ["JetFlow", "JetFlowTask", "draw_from_flow"]

_FEATURES = len(CONTINUOUS) + 1
_CHUNK = 16384
# Validation jets that draws are compared with, and draws for each of them.
_COMPARED, _DRAWS = 2000, 5


@final
class JetFlow(nn.Module):
    """Neural spline flow of the five Gaussianised features, with a standard normal base.

    Example:
        >>> from cloudchamber.settings.training import TrainingSettings
        >>> flow = JetFlow(JetFlowSettings(kind="flow", training=TrainingSettings(steps=1)))
        >>> flow(torch.randn(7, 5)).shape
        torch.Size([7])
    """

    def __init__(self, settings: JetFlowSettings) -> None:
        super().__init__()
        self.splines = NSF(
            _FEATURES, transforms=settings.transforms, bins=settings.bins, hidden_features=settings.hidden
        )

    def forward(self, values: Tensor) -> Tensor:
        """Return the (B,) logarithm of the density of (B, 5) values."""
        return self.splines().log_prob(values)

    def draw(self, base: Tensor) -> Tensor:
        """Return the (B, 5) values that (B, 5) standard normal ones become."""
        return self.splines().transform.inv(base)


def draw_from_flow(
    flow: JetFlow, scales: JetScales, jets: int, generator: torch.Generator
) -> tuple[dict[str, np.ndarray], int]:
    """Draw jets; those beyond the training range of a feature are drawn again.

    Args:
        flow: trained.
        scales: of its training.
        jets: how many.
        generator: of the base, on the device of the flow.

    Returns:
        The (jets,) columns, float64 and for "multiplicity" int64, and how many jets were drawn again.

    Raises:
        InputError: more jets are beyond the range than within.
    """
    kept: list[dict[str, np.ndarray]] = []
    missing, redrawn = jets, 0
    while missing:
        columns, inside = scales.inverse(_draw(flow, min(missing, _CHUNK), generator).cpu().numpy())
        kept.append({name: column[inside] for name, column in columns.items()})
        missing -= int(inside.sum())
        redrawn += int((~inside).sum())
        if redrawn > max(jets, 100):
            raise InputError(
                f"the jet flow draws most jets beyond the training range: {redrawn} while {jets} were asked"
            )
    return {name: np.concatenate([part[name] for part in kept]) for name in kept[0]}, redrawn


@torch.no_grad()
def _draw(flow: JetFlow, jets: int, generator: torch.Generator) -> Tensor:
    return flow.draw(torch.randn(jets, _FEATURES, generator=generator, device=generator.device))


@final
class JetFlowTask(Task):
    """Training of the flow by maximum likelihood, with a new dequantisation of the multiplicity in each step.

    Args:
        network: the flow.
        scales: fitted to the training part.
        train, validation: (N,) columns of ``CONTINUOUS`` and "multiplicity".
        seed: of the random numbers of validation, which are the same at each call.
    """

    def __init__(
        self,
        network: JetFlow,
        scales: JetScales,
        train: Mapping[str, np.ndarray],
        validation: Mapping[str, np.ndarray],
        seed: int,
    ) -> None:
        self.network = network
        self.size = len(train["multiplicity"])
        self._scales, self._seed = scales, seed
        rng = seeds.generator(seed, "rounding")
        self._train, self._validation = (_Inputs.of(scales, columns, rng) for columns in (train, validation))
        self._truth = {name: np.sort(column[:_COMPARED]) for name, column in validation.items() if name != "jet_eta"}

    def to(self, device: torch.device) -> None:
        self._train, self._validation = self._train.to(device), self._validation.to(device)

    def loss(self, network: Callable[..., Tensor], rows: Tensor, generator: torch.Generator, share: slice) -> Tensor:
        return -network(self._train.dequantised(rows, generator)[share]).mean()

    @torch.no_grad()
    def validate(self, network: nn.Module) -> dict[str, Any]:
        """Return the negative log-likelihood of the Gaussianised features and Wasserstein-1 distances of draws.

        Five independent features would have a likelihood of 7.09 nats; what lies below is how much they tell of each
        other. The distances are those of pT [GeV], mass [GeV], sum and multiplicity between validation jets and draws.
        """
        assert isinstance(network, JetFlow)
        device = self._validation.normal.device
        generator = torch.Generator(device=device).manual_seed(seeds.integer_seed(self._seed, "validation"))
        rows = torch.arange(len(self._validation.normal), device=device)
        chunks = [network(self._validation.dequantised(some, generator)) for some in rows.split(_CHUNK)]
        compared = len(self._truth["multiplicity"])
        drawn, _ = draw_from_flow(network, self._scales, _DRAWS * compared, generator)
        distances = {
            f"w1_{name}": float(np.abs(np.sort(drawn[name]) - np.repeat(truth, _DRAWS)).mean())
            for name, truth in self._truth.items()
        }
        return {"validation_loss": -float(torch.cat(chunks).mean()), **distances}


@final
@dataclass(frozen=True)
class _Inputs:
    """Gaussianised jets, the multiplicity not yet dequantised.

    Attributes:
        normal: (N, 4) float32.
        lower, width: (N,) float64 share of the multiplicity.
    """

    normal: Tensor
    lower: Tensor
    width: Tensor

    @classmethod
    def of(cls, scales: JetScales, columns: Mapping[str, np.ndarray], rng: np.random.Generator) -> Self:
        shares = scales.multiplicity.shares(columns["multiplicity"])
        return cls(torch.from_numpy(scales.forward(columns, rng)), *(torch.from_numpy(ends) for ends in shares))

    def to(self, device: torch.device) -> "_Inputs":
        return _Inputs(self.normal.to(device), self.lower.to(device), self.width.to(device))

    def dequantised(self, rows: Tensor, generator: torch.Generator) -> Tensor:
        """Return (B, 5) values of ``rows``, the multiplicity at a random place of its share."""
        uniform = torch.rand(len(rows), generator=generator, device=rows.device, dtype=torch.float64)
        multiplicity = Discrete.forward(self.lower[rows], self.width[rows], uniform)
        return torch.cat([self.normal[rows], multiplicity[:, None]], dim=1)
