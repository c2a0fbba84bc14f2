"""Observed stars drawn anew in each step of a training, from the curves of equations of state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from cloudchamber.cloud import Clouds
from cloudchamber.studies.neutron_stars.curve_file import quantities_of
from cloudchamber.studies.neutron_stars.quantities import PREDICTED, SMALLEST_MASS, to_box
from cloudchamber.studies.neutron_stars.settings import StarSettings

__all__ = ["DrawnStars", "StarDrawer", "radius_on_curves"]


def radius_on_curves(s: Tensor, radius: Tensor) -> Tensor:
    """Return (B, K) radii [km] at places s from 0 to 1 of (B, P) curves, on straight lines between their points."""
    place = s * (radius.shape[1] - 1)
    left = place.long().clamp(max=radius.shape[1] - 2)
    lower, upper = radius.gather(1, left), radius.gather(1, left + 1)
    return lower + (place - left) * (upper - lower)


@final
@dataclass(frozen=True)
class DrawnStars:
    """Sets of stars.

    Attributes:
        stars: (B, P, 4) observed mass, radius and their standard deviations; all slots are filled.
        mask: (B, P) bool, true for the stars of the set.
        mass: (B, P) true masses [solar masses].
    """

    stars: Tensor
    mask: Tensor
    mass: Tensor


@final
class StarDrawer:
    """The curves of one part of the split, on one device.

    Args:
        curves: all curves.
        part: of the split.
        settings: numbers of stars and noise, of which each set has one.

    Attributes:
        fractions: (E, 2) true parameters as fractions of the box.
        quantities: (E, Q) true quantities, in the order of ``PREDICTED``.
    """

    def __init__(self, curves: Clouds, part: str, settings: StarSettings) -> None:
        clouds = curves.part(part)
        columns = quantities_of(clouds)
        parameters = np.column_stack([columns["lambda_1"], columns["lambda_2"]])
        self.fractions = _single(to_box(parameters))
        self.quantities = _single(np.column_stack([columns[name] for name in PREDICTED]))
        self._maximum, self._radius = _single(columns["maximum_mass"]), _single(clouds.point("radius"))
        self._numbers = torch.tensor(settings.numbers)
        self._noise = torch.tensor([(noise.mass, noise.radius) for noise in settings.noise])

    def __len__(self) -> int:
        return len(self._radius)

    def to(self, device: torch.device) -> None:
        """Move the curves to ``device``."""
        for name in ("fractions", "quantities", "_maximum", "_radius", "_numbers", "_noise"):
            setattr(self, name, getattr(self, name).to(device))

    def draw(self, rows: Tensor, generator: torch.Generator, numbers: Sequence[int] | None = None) -> DrawnStars:
        """Return a set of stars of each of (B,) equations of state.

        Args:
            rows: which ones; one may be there several times.
            generator: of everything, on the device of the curves.
            numbers: of stars, of which each set has one; by default those of the settings.
        """
        allowed = self._numbers if numbers is None else torch.tensor(numbers, device=rows.device)
        device = rows.device
        chosen = allowed[torch.randint(len(allowed), (len(rows),), generator=generator, device=device)]
        sigma = self._noise[torch.randint(len(self._noise), (len(rows),), generator=generator, device=device)]
        width = int(allowed.max())
        s = (1 - torch.rand(len(rows), width, generator=generator, device=device)).sqrt()
        maximum = self._maximum[rows, None]
        mass = maximum - s**2 * (maximum - SMALLEST_MASS)
        true = torch.stack([mass, radius_on_curves(s, self._radius[rows])], dim=2)
        sigma = sigma.unsqueeze(1).expand(-1, width, -1)
        observed = true + sigma * torch.randn(true.shape, generator=generator, device=device)
        mask = torch.arange(width, device=device) < chosen.unsqueeze(1)
        return DrawnStars(torch.cat([observed, sigma], dim=2), mask, mass)

    def log_joint_densities(self, drawn: DrawnStars, equations: Tensor) -> Tensor:
        """Return the logarithms of the densities of observed and true mass of one star each, given equations of state.

        Terms that all equations of state share are left out. The density is zero where the star is too heavy.

        Args:
            drawn: (B, 1) stars.
            equations: (B, C) rows of the curves.

        Returns:
            (B, C).
        """
        maximum = self._maximum[equations]
        above = maximum - drawn.mass
        s = (above.clamp(min=0) / (maximum - SMALLEST_MASS)).sqrt()
        radius = radius_on_curves(s.flatten().unsqueeze(1), self._radius[equations.flatten()]).view_as(s)
        observed, sigma = drawn.stars[:, :, 1], drawn.stars[:, :, 3]
        logarithm = -0.5 * ((observed - radius) / sigma) ** 2 - (maximum - SMALLEST_MASS).log()
        return torch.where(above >= 0, logarithm, -torch.inf)


def _single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
