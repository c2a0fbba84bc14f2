"""What a training says at its start of settings that do less than they seem to."""

from collections.abc import Iterator

from cloudchamber.settings.training import TrainingSettings
from cloudchamber.training.learning_rate import learning_rate_factor

__all__ = ["remarks"]

# Share of the weights at the start in the averaged ones that is too small to speak of, and of a learning rate that is
# large enough.
_LITTLE, _MOST = 0.05, 0.5


def remarks(settings: TrainingSettings, size: int, without_matrices: bool) -> Iterator[str]:
    """Yield a line for each setting that acts otherwise in this training.

    Args:
        settings: the loop.
        size: number of training examples.
        without_matrices: whether Muon is asked for and moves no weights.
    """
    if size < settings.batch_size:
        yield f"batches of {size} examples, all there are, and not {settings.batch_size} (training.batch_size)"
    if without_matrices:
        yield "no weights are a matrix that Muon moves (training.muon_learning_rate)"
    steps = settings.steps
    if settings.keep == "best" and steps <= settings.validate_every:
        yield (
            f"the best weights are the last ones: the only validation is after all {steps} steps"
            f" (training.validate_every: {settings.validate_every})"
        )
    left = settings.ema_decay**steps
    if left > _LITTLE:
        yield (
            f"the averaged weights, which it gives, are to {left:.0%} those before the first of its {steps} steps"
            f" (training.ema_decay: {settings.ema_decay:g})"
        )
    highest = max(learning_rate_factor(step, settings) for step in range(min(steps, settings.warmup_steps + 1)))
    if highest < _MOST:
        yield (
            f"the learning rate reaches {highest:.0%} of what is set, in {steps} steps of which the first"
            f" {settings.warmup_steps} would raise it (training.warmup_steps)"
        )
