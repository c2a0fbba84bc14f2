"""What can end a stage from outside, in the form of an error with an exit status: too little memory, a signal.

Errors of memory have many types: those of Python and numpy, of HDF5, of torch on a CPU and on a GPU.
"""

import errno
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from cloudchamber.errors import OutOfMemoryError, TerminatedError

__all__ = ["ends_at_termination", "lacks_memory", "names_lack_of_memory"]

_ADVICE = {
    "train": "lower training.batch_size or the size of the network",
    "train-jet-flow": "lower training.batch_size or the size of the flow",
    "log-posterior": "lower training.batch_size, jets_per_class or the size of the network",
    "ingest": "lower step_size or max_particles",
    "ingest-group": "lower step_size or max_particles",
    "simulate": "use more shards",
    "draw-jets": "draw fewer jets",
    "sample": "draw fewer jets",
    "sample-marginals": "draw fewer jets",
}
# How torch and the C++ library say it where they have no type for it.
_PHRASES = ("can't allocate memory", "not enough memory", "bad_alloc", "Unable to allocate", "cannot allocate memory")


@contextmanager
def names_lack_of_memory(stage: str) -> Iterator[None]:
    """Raise OutOfMemoryError for every error in the block that comes from too little memory.

    Args:
        stage: name of the sub-command, which decides what the message advises.

    Raises:
        OutOfMemoryError: with what to change.
    """
    before = sys.unraisablehook

    def report(unraisable: "sys.UnraisableHookArgs") -> None:
        # What closes files on the way out may lack memory too; the one line says it already.
        if not issubclass(unraisable.exc_type, MemoryError):
            before(unraisable)

    sys.unraisablehook = report
    try:
        yield
    except Exception as error:
        if not lacks_memory(error):
            raise
        advice = _ADVICE.get(stage, "use fewer jets")
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        message = f"out of memory: {reason}; {advice}, or give the job more memory; what was saved before stays"
        raise OutOfMemoryError(message) from error
    finally:
        sys.unraisablehook = before


def lacks_memory(error: BaseException | None) -> bool:
    """Return whether an error, or what caused it, comes from too little memory."""
    while error is not None:
        # torch is not imported here, since most stages run without it; its type is a RuntimeError.
        by_type = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
        by_number = isinstance(error, OSError) and error.errno == errno.ENOMEM
        if by_type or by_number or any(phrase in str(error) for phrase in _PHRASES):
            return True
        error = error.__cause__
    return False


@contextmanager
def ends_at_termination(stage: str) -> Iterator[None]:
    """Let SIGTERM end the block in order: half-written files go, and the exit status is that of TerminatedError.

    A training has a handler of its own, which saves its state first.
    """

    def end(number: int, frame: FrameType | None) -> NoReturn:
        os.write(2, f"cloudchamber {stage}: terminated; no file is half written\n".encode())
        # No Exception, which readers of damaged files take for damage.
        raise SystemExit(TerminatedError.exit_status)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
