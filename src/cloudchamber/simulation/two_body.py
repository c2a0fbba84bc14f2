"""Two-body decays in exact kinematics, of all events of a batch at once."""

import numpy as np

from cloudchamber.errors import SettingsError

__all__ = ["rapidity_and_azimuth", "two_body"]


def two_body(
    parent: np.ndarray, mass: np.ndarray, first: np.ndarray, second: np.ndarray, rng: np.random.Generator
) -> list[np.ndarray]:
    """Draw isotropic decays to two particles.

    Args:
        parent: (n, 4) px, py, pz, E of what decays [GeV].
        mass: (n,) its mass [GeV].
        first, second: (n,) masses of the products [GeV].
        rng: source of randomness.

    Returns:
        two (n, 4) momenta.

    Raises:
        SettingsError: the products weigh more than what decays.
    """
    sum_, difference = first + second, first - second
    if (mass < sum_).any():
        at = int(np.argmax(sum_ - mass))
        raise SettingsError(f"mass: no decay of {mass[at]:.4g} GeV to {first[at]:.4g} and {second[at]:.4g} GeV")
    # (m - m1 - m2)(m + m1 + m2)(m - m1 + m2)(m + m1 - m2) / (2 m)^2 without cancellations.
    momentum = np.sqrt((mass - sum_) * (mass + sum_) * (mass - difference) * (mass + difference)) / (2 * mass)
    cosine, azimuth = rng.uniform(-1, 1, len(mass)), rng.uniform(-np.pi, np.pi, len(mass))
    sine = np.sqrt(1 - cosine**2)
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)
    products = []
    for own, sign in ((first, 1.0), (second, -1.0)):
        rest = sign * momentum[:, None] * direction
        rest_energy = np.hypot(momentum, own)
        # Boost from the rest frame: with b = p/m and g = E/m, E' = g E + b.p and p' = p + b (E + b.p / (1 + g)).
        boost, gamma = parent[:, :3] / mass[:, None], parent[:, 3] / mass
        along = (boost * rest).sum(axis=1)
        space = rest + boost * (rest_energy + along / (1 + gamma))[:, None]
        products.append(np.column_stack([space, gamma * rest_energy + along]))
    return products


def rapidity_and_azimuth(momentum: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rapidity and azimuth of momenta (..., 4)."""
    px, py, pz, energy = np.moveaxis(momentum, -1, 0)
    return np.arctanh(pz / energy), np.arctan2(py, px)
