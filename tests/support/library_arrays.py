"""Arrays for calls of the library."""

import numpy as np

# Settings of a system of active matter.
TRAP = {"kind": "trap", "stiffness": 1.0, "rate": 0.5, "diffusion": 0.2}


def arrays(rng: np.random.Generator, jets: int = 20, width: int = 6) -> np.ndarray:
    """Return (jets, width, 3) particles, zero in empty slots."""
    mask = np.arange(width) < rng.integers(1, width + 1, jets)[:, None]
    points = np.concatenate([rng.normal(0, 0.2, (jets, width, 2)), rng.exponential(0.2, (jets, width, 1))], axis=2)
    return points * mask[:, :, None]
