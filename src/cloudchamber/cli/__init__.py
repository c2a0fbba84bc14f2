"""The command line: one command per stage of the pipeline, argument parsing only.

Stages are imported when they run, so that training and sampling work where the packages of other stages are missing.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from cloudchamber import __version__
from cloudchamber.arguments import Commands
from cloudchamber.cli import classification, data, files, generative
from cloudchamber.cli.outputs import refuse_lost_files
from cloudchamber.compiled_loops import without_extensions
from cloudchamber.entry_points import annotations_of, load_entry
from cloudchamber.errors import CloudchamberError
from cloudchamber.interruption import ends_at_termination, names_lack_of_memory
from cloudchamber.job_log import log_command
from cloudchamber.pipeline.stages import SHARED_STAGES
from cloudchamber.records.record import recorded

__all__ = ["main"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one stage and return its exit status; an error that a user can meet prints as one line."""
    given = sys.argv[1:] if arguments is None else arguments
    log_command(given)
    options = vars(parser(studies=not given or given[0] not in SHARED_STAGES).parse_args(given))
    entry, conversions, outputs, _ = (options.pop(name) for name in ("entry", "conversions", "outputs", "given"))
    name = " ".join(part for part in (options.pop("command"), options.pop("study_command", None)) if part)
    # Numerical libraries read these when they are first imported, which no stage has been yet.
    for variable in _THREAD_VARIABLES:
        os.environ[variable] = str(options["threads"])
    threads = options.pop("threads")
    try:
        refuse_lost_files(options, outputs)
        with ends_at_termination(name), names_lack_of_memory(name), recorded(name, options, outputs, threads):
            _run(entry, options, conversions)
    except CloudchamberError as error:
        sys.stderr.write(f"cloudchamber {name}: {' '.join(str(error).split())}\n")
        return error.exit_status
    except KeyboardInterrupt:
        return 130
    return 0


def _run(entry: str, options: dict[str, Any], conversions: dict[str, Any]) -> None:
    stage = load_entry(entry)
    without_extensions()
    annotations = annotations_of(stage)
    made = {name: convert(options[name], annotations[name]) for name, convert in conversions.items()}
    stage(**{**options, **made})


def parser(studies: bool = True) -> argparse.ArgumentParser:
    """Return the parser of all commands: those that studies share, and under the name of each study its own.

    Args:
        studies: whether those of studies are there. Their settings take longer to import than many a stage to run.
    """
    whole = argparse.ArgumentParser(prog="cloudchamber", description="Particle clouds from raw files to figures.")
    whole.add_argument("--version", action="version", version=__version__)
    parsers = whole.add_subparsers(dest="command", required=True, metavar="STAGE")
    shared = Commands(parsers, SHARED_STAGES)
    for commands in (data, generative, classification, files):
        commands.add(shared)
    if studies:
        _add_studies(parsers)
    return whole


def _add_studies(parsers: Any) -> None:
    from cloudchamber.analysis import STUDIES

    for name, study in STUDIES.items():
        if study.stages:
            text = f"stages of the study '{name.replace('_', ' ')}'"
            of_study = parsers.add_parser(name, help=text, description=text)
            inner = of_study.add_subparsers(dest="study_command", required=True, metavar="STAGE")
            study.add_commands(Commands(inner, study.stages))
