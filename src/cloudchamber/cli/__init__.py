"""The command line: one sub-command per stage of the pipeline, argument parsing only.

Stages are imported when they run, so that training and sampling work where the packages of other stages are missing.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from cloudchamber import __version__
from cloudchamber.cli import data, evaluation, files, generation, tagging
from cloudchamber.errors import CloudchamberError
from cloudchamber.interruption import ends_at_termination, names_lack_of_memory
from cloudchamber.provenance.record import recorded

__all__ = ["main"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage and return its exit status; an error that a user can meet prints as one line."""
    options = vars(_parser().parse_args(arguments))
    stage: Callable[..., None] = options.pop("stage")
    name = options.pop("command")
    # Numerical libraries read these when they are first imported, which no stage has been yet.
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(options["threads"])
    threads, outputs = options.pop("threads"), options.pop("outputs")
    try:
        with ends_at_termination(name), names_lack_of_memory(name), recorded(name, options, outputs, threads):
            stage(**options)
    except CloudchamberError as error:
        sys.stderr.write(f"cloudchamber {name}: {' '.join(str(error).split())}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloudchamber", description="Particle clouds from raw files to figures.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="STAGE")

    for stages in (data, generation, evaluation, tagging, files):
        stages.add(commands)
    return parser
