"""Event files of TensorBoard: the rows of the history, while a training runs."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cloudchamber.errors import StorageError
from cloudchamber.optional import optional_package

__all__ = ["EVENTS", "events"]

# Name of their folder, in that of the state.
EVENTS = "events"


@contextmanager
def events(folder: Path, history: Sequence[Mapping[str, Any]]) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Yield a function that adds a row of the history to the event files.

    A training that goes on from an earlier step writes them anew from its history, so that no step stands there twice.

    Args:
        folder: of the state; theirs is in it.
        history: rows of the training until now.

    Raises:
        InputError: TensorBoard is not installed.
        StorageError: a file cannot be written.
    """
    # What of torch writes them is there without the package too, and cannot be imported.
    optional_package("tensorboard", "tensorboard", "training.tensorboard")
    tensorboard = optional_package("torch.utils.tensorboard", "tensorboard", "training.tensorboard")
    place = folder / EVENTS
    try:
        shutil.rmtree(place, ignore_errors=True)
        with tensorboard.SummaryWriter(log_dir=str(place)) as writer:

            def add(row: Mapping[str, Any]) -> None:
                for name, value in row.items():
                    if name != "step":
                        writer.add_scalar(name, value, row["step"])
                writer.flush()

            for row in history:
                add(row)
            yield add
    except OSError as error:
        raise StorageError(f"{place}: cannot be written: {error.strerror or error}") from error
