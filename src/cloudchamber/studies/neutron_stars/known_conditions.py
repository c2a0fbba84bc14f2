"""Whether stars are as those of a training: of lighter ones, other noise, or fewer, a network learned nothing."""

import sys

import numpy as np

from cloudchamber.studies.neutron_stars.quantities import SMALLEST_MASS
from cloudchamber.studies.neutron_stars.settings import StarSettings
from cloudchamber.studies.neutron_stars.star_networks import ScannedNetwork, StarSetNetwork

__all__ = ["say_unknown_conditions"]

# Single precision rounds noise by less.
_ROUNDING = 1e-3
# Standard deviations by which noise brings no star of a training below the smallest mass.
_BY_NOISE = 6.0


def say_unknown_conditions(
    said_by: str, what: str, network: StarSetNetwork, settings: StarSettings, stars: np.ndarray, mask: np.ndarray
) -> None:
    """Say on standard error how many sets of stars are outside of what a network was trained with.

    Args:
        said_by: command or library, for the line.
        what: the stars, for the line.
        network: those of single stars do not depend on how many there are.
        settings: numbers of stars and noise of the training.
        stars: (N, P, 4) masses [solar masses], radii [km] and their standard deviations.
        mask: (N, P), true for stars.
    """
    for column, name, unit, levels in (
        (2, "mass", "solar masses", [noise.mass for noise in settings.noise]),
        (3, "radius", "km", [noise.radius for noise in settings.noise]),
    ):
        sigma = stars[:, :, column]
        beyond = mask & ((sigma < min(levels) * (1 - _ROUNDING)) | (sigma > max(levels) * (1 + _ROUNDING)))
        if beyond.any():
            sys.stderr.write(
                f"{said_by}: WARNING: {what}: the noise of the {name} is {_range(sigma[beyond])} {unit} in "
                f"{np.count_nonzero(beyond.any(axis=1))} of {len(stars)} sets, the model was trained with "
                f"{_range(np.array(levels))} {unit}\n"
            )
    light = mask & (stars[:, :, 0] < SMALLEST_MASS - _BY_NOISE * stars[:, :, 2])
    if light.any():
        sys.stderr.write(
            f"{said_by}: WARNING: {what}: the mass is {_range(stars[:, :, 0][light])} solar masses in "
            f"{np.count_nonzero(light.any(axis=1))} of {len(stars)} sets, more than {_BY_NOISE:g} standard deviations "
            f"below the {SMALLEST_MASS:g} from which on stars of the training are\n"
        )
    number, least = mask.sum(axis=1), min(settings.numbers)
    if not isinstance(network, ScannedNetwork) and (fewer := np.count_nonzero(number < least)):
        sys.stderr.write(
            f"{said_by}: WARNING: {what}: {fewer} of {len(stars)} sets have fewer stars than any of the training, "
            f"which had {least} at least\n"
        )


def _range(values: np.ndarray) -> str:
    low, high = f"{values.min():.3g}", f"{values.max():.3g}"
    return low if low == high else f"{low} to {high}"
