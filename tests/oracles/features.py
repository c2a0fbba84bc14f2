"""Features whose distances are recorded, made anew in every environment."""

import numpy as np

__all__ = ["DRAW_SEED", "FPD_BATCHES", "FPD_SIZES", "KPD_BATCHES", "KPD_SIZE", "feature_samples"]

# Seed of the draw of batches, and their numbers and sizes.
DRAW_SEED = 64
FPD_SIZES, FPD_BATCHES = (400, 1000), 5
KPD_SIZE, KPD_BATCHES = 300, 10

_WIDTH = 6


def feature_samples() -> dict[str, np.ndarray]:
    """Return (N, 6) correlated features: "truth", the "same" distribution once more, and a "wrong" one.

    They come of uniform numbers alone, which all versions of numpy draw alike.
    """
    rng = np.random.default_rng(63)
    samples = {}
    for name, jets, power in (("truth", 1500, 1.0), ("same", 1200, 1.0), ("wrong", 1200, 1.1)):
        samples[name] = np.cumsum(rng.random((jets, _WIDTH)) ** power, axis=1) * np.arange(1, _WIDTH + 1)
    return samples
