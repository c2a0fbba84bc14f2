"""``python -m benchmarks.gpu --output results/gpu.csv``: training steps and sampling at published sizes on one GPU.

Each work is measured as it is run (eager), and as one CUDA graph where its shapes are static: that of a batch whose
clouds keep their multiplicities, as all evaluations of a chunk of sampling do, and as batches of training do that are
drawn from a bucket of one multiplicity. ``--compile`` tries torch.compile too. A form that fails stands in the table
with its error. ``--device cpu --small`` runs the same code in seconds, to see that it runs; its times say nothing.
"""

import argparse
import csv
import io
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch

from benchmarks.gpu_works import WORKS, Work
from cloudchamber.devices import device_name, seconds_of
from cloudchamber.storage import write_text

__all__ = ["main"]

_COLUMNS = ("work", "precision", "form", "median_ms", "best_ms", "per_second", "unit", "memory_mb", "device", "remark")
# Seconds and rounds of one measurement, after as many calls to warm up as CUDA graphs want.
_SECONDS, _ROUNDS, _WARM = 2.0, 20, 3


def _graph(work: Callable[[], object]) -> Callable[[], object]:
    """Return the replay of a CUDA graph of ``work``, whose tensors have static shapes and addresses."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(_WARM):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def _measured(run: Callable[[], object], device: torch.device, most: float) -> tuple[float, float]:
    """Return median and best seconds of a call."""
    for _ in range(_WARM if device.type == "cuda" else 1):
        run()
    seconds = [seconds_of(run, device)]
    end = time.monotonic() + most
    while len(seconds) < _ROUNDS and time.monotonic() < end:
        seconds.append(seconds_of(run, device))
    return median(seconds), min(seconds)


Prepare = Callable[[], Callable[[], object]]


def _forms(work: Work, device: torch.device, compile_too: bool) -> Iterator[tuple[str, Prepare]]:
    """Yield the name of each form, and what prepares it."""
    yield "eager", lambda: work.run(work.network)
    if device.type == "cuda" and work.static:
        yield "CUDA graph", lambda: _graph(work.run(work.network))
    if device.type == "cuda" and compile_too:
        yield "compiled", lambda: work.run(torch.compile(work.network))


def _rows(device: torch.device, small: bool, compile_too: bool, end: float) -> Iterator[dict[str, str]]:
    for name, build in WORKS.items():
        for precision in ("float32", "bfloat16"):
            row = dict.fromkeys(_COLUMNS, "") | {"work": name, "precision": precision, "device": device_name(device)}
            if time.monotonic() > end:
                yield row | {"remark": "not reached in time"}
                continue
            try:
                work = build(device, torch.float32 if precision == "float32" else torch.bfloat16, small)
            except RuntimeError as error:
                yield row | {"remark": _line(error)}
                continue
            for form, prepare in _forms(work, device, compile_too):
                sizes = {"remark": "small networks and batches, fewer evaluations"} if small else {}
                yield row | {"form": form, "unit": work.unit, **sizes, **_numbers(prepare, work, device, small)}


def _numbers(prepare: Prepare, work: Work, device: torch.device, small: bool) -> dict[str, str]:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        middle, best = _measured(prepare(), device, 0.0 if small else _SECONDS)
    except Exception as error:  # a compiler raises types of its own
        return {"remark": _line(error)}
    memory = torch.cuda.max_memory_allocated(device) / 1e6 if device.type == "cuda" else 0.0
    return {
        "median_ms": f"{middle * 1e3:.4g}",
        "best_ms": f"{best * 1e3:.4g}",
        "per_second": f"{work.units / middle:.4g}",
        "memory_mb": f"{memory:.0f}" if memory else "",
    }


def _line(error: Exception) -> str:
    return f"failed: {type(error).__name__}: {' '.join(str(error).split())[:160]}"


def main() -> None:
    """Measure, print each row as it comes, and write the table at the end."""
    parser = argparse.ArgumentParser(prog="benchmarks.gpu", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="small networks and batches, to see that it runs")
    parser.add_argument("--compile", action="store_true", help="try torch.compile too")
    parser.add_argument("--minutes", type=float, default=8.0, help="after them no further work is begun")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        parser.error(f"torch {torch.__version__} finds no GPU; --device cpu --small runs the same code here")
    device = torch.device(options.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    table.writeheader()
    # The last work that is begun takes up to half a minute.
    end = time.monotonic() + 60 * options.minutes - 30
    for row in _rows(device, options.small, options.compile, end):
        table.writerow(row)
        print(", ".join(value for value in row.values() if value), flush=True)
    write_text(options.output, text.getvalue())
    sys.stderr.write(f"benchmarks: written to {options.output}\n")


if __name__ == "__main__":
    main()
