"""What a training cannot do as its settings say, in lines for whoever starts it."""

from collections.abc import Iterator

from cloudchamber.settings.training import TrainingSettings

__all__ = ["shortfalls"]

# Share of the initial weights in the averaged ones from which on it is said.
_MUCH = 0.05


def shortfalls(settings: TrainingSettings, examples: int, nothing_for_muon: bool) -> Iterator[str]:
    """Yield a line for each setting that a training does not live up to.

    Args:
        settings: the loop.
        examples: of the training part.
        nothing_for_muon: whether Muon is asked for and the network has no weights that it moves.
    """
    if examples < settings.batch_size:
        yield (f"batches of {examples} examples, all there are, and not {settings.batch_size} (training.batch_size)")
    if nothing_for_muon:
        yield "no weights are a matrix that Muon moves (training.muon_learning_rate)"
    initial = settings.ema_decay**settings.steps
    if initial > _MUCH:
        yield (
            f"WARNING: the averaged weights, which the training gives, are {100 * initial:.0f} % those before it: "
            f"{settings.steps} steps are few for training.ema_decay {settings.ema_decay:g}"
        )
    if settings.warmup_steps >= settings.steps:
        yield (
            f"WARNING: the learning rate does not rise to its value: {settings.steps} steps and "
            f"{settings.warmup_steps} of warm-up (training.warmup_steps)"
        )
