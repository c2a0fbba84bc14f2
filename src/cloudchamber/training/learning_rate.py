"""How the learning rate changes in a training."""

import math

from cloudchamber.settings.training import TrainingSettings

__all__ = ["learning_rate_factor"]


def learning_rate_factor(step: int, settings: TrainingSettings) -> float:
    """Return the factor on the learning rate at ``step``: linear warm-up, then constant or half a cosine to zero."""
    warmup = min(1.0, (step + 1) / settings.warmup_steps) if settings.warmup_steps else 1.0
    if settings.schedule == "constant":
        return warmup
    return warmup * 0.5 * (1 + math.cos(math.pi * step / settings.steps))
