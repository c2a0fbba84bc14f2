"""What a job imports before it works, against the packages that it cannot do without.

A run starts a Python for each of more than a hundred jobs, most of which work for a second.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from benchmarks.timing import Measurement, measure
from cloudchamber.pipeline.stages import SHARED_STAGES

__all__ = ["measurements"]

# Without torch at most 1.2 times the import of the packages, with torch at most 1.4 times.
_TARGET, _TARGET_WITH_TORCH = 1 / 1.2, 1 / 1.4
_START = (
    "from cloudchamber.cli import parser; parser(studies=False); "
    "from cloudchamber.entry_points import load_entry; load_entry({entry!r})"
)
_DRAWING = "; from cloudchamber.drawings import {kind}_of; {kind}_of({name!r})"
# Packages in the form in which the stage uses them.
_PACKAGES = {
    "draw": "matplotlib.figure, matplotlib.style, matplotlib.backends.backend_pdf, pandas",
    "tabulate": "pandas",
    "model-card": "pandas, pydantic",
    "observe": "h5py, numba",
    "compare": "h5py, numba, pandas, pydantic, scipy.optimize",
    "ingest": "awkward, fastjet, h5py, numba, pydantic, uproot",
    "simulate": "numpy, pydantic, pythia8mc, uproot",
    "train": "h5py, numba, pydantic, safetensors.torch, torch",
    "train-tagger": "h5py, pydantic, safetensors.torch, torch",
    "sample": "h5py, numba, pydantic, safetensors.torch, torch",
}


def _run(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def _children() -> float:
    """Return the CPU seconds of all processes that this one has started and waited for."""
    times = os.times()
    return times.children_user + times.children_system


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure the start of jobs of some stages."""
    for stage, packages in _PACKAGES.items():
        own = _START.format(entry=SHARED_STAGES[stage])
        if stage == "draw":
            own += _DRAWING.format(kind="figure", name="jet_generation/jet_metrics")
        if stage == "tabulate":
            own += _DRAWING.format(kind="table", name="jet_generation/jet_metrics")
        seconds = measure(partial(_run, own), partial(_run, f"import {packages}"), rounds, _children)
        target = _TARGET_WITH_TORCH if "torch" in packages else _TARGET
        yield Measurement("start of a job", f"{stage} against import {packages}", *seconds, 1, "starts", target)
