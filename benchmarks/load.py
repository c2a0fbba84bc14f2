"""``python -m benchmarks.load --scratch FOLDER``: what grows with the size of an analysis, and what does not.

Not part of ``make bench``, since it takes most of an hour. Each stage runs as a process of its own, whose CPU time and
largest memory the kernel reports. Large inputs are hard links to one simulated file.
"""

import argparse
import contextlib
import csv
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import final

import numpy as np
import psutil
import yaml

from cloudchamber.cloud import Column
from cloudchamber.cloud_file import open_clouds, read_header
from cloudchamber.cloud_writer import create_clouds
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.columns import LABEL_COLUMNS
from cloudchamber.settings.base import load
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.storage import write_text

__all__ = ["main"]

REPOSITORY = Path(__file__).parents[1]
_GIGABYTE = 1e9
_EVENTS = 4000
_PROCESS = {
    "title": "hadronic top-quark pairs",
    "commands": ["Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", "24:onIfAny = 1 2 3 4 5"],
    "pt_hat": [950, 1200],
    "events": _EVENTS,
}
_INGESTION = {
    "clouds": {"kind": "reclustered", "constituents": "tower", "pt_window": [800, 1200], "eta_max": 2.0},
    "max_particles": 30,
}
_MODEL = {
    "network": {"kind": "epic_gan", "layers": 2, "hidden": 32},
    "objective": {"kind": "adversarial", "discriminator_hidden": 32},
    "training": {"steps": 4, "batch_size": 64},
}


@final
@dataclass(frozen=True)
class Load:
    """What one process took.

    Attributes:
        case: what ran.
        size: how much of it, with its unit.
        wall_s, cpu_s: elapsed and CPU time.
        peak_mb: largest resident memory; None where many processes ran.
        rate: units per CPU second, or what else there is to say.
    """

    case: str
    size: str
    wall_s: float
    cpu_s: float
    peak_mb: float | None
    rate: str


def _run(arguments: Sequence[str], folder: Path) -> tuple[float, float, float]:
    """Run a process to its end and return wall and CPU seconds and peak memory [MB]."""
    start = time.perf_counter()
    with (folder / "load.log").open("ab") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=REPOSITORY, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"{' '.join(arguments[:5])} ...: failed; see {folder / 'load.log'}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY / "src")}


def _stage(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cloudchamber", *map(str, arguments)]


def ingestion(folder: Path, gigabytes: Sequence[float]) -> Iterator[Load]:
    """Ingest one simulated file again and again, through as many hard links."""
    source = folder / "raw.root"
    _run(
        _stage("simulate", "--name", "top", "--settings", json.dumps(_PROCESS), "--seed", 1, "--output", source), folder
    )
    for wanted in gigabytes:
        copies = max(1, round(wanted * _GIGABYTE / source.stat().st_size))
        links = folder / f"links_{copies}"
        links.mkdir()
        for number in range(copies):
            (links / f"{number:05d}.root").hardlink_to(source)
        output = folder / "clouds.h5"
        command = _stage("ingest", links / "*.root", "--settings", json.dumps(_INGESTION), "--output", output)
        wall, cpu, peak = _run(command, folder)
        events = copies * _EVENTS
        size = f"{copies * source.stat().st_size / _GIGABYTE:.2f} GB, {events:,} events"
        yield Load("ingest", size, wall, cpu, peak, f"{events / cpu:,.0f} events/s")
        shutil.rmtree(links)


def sampling(folder: Path, jets: Sequence[int]) -> Iterator[Load]:
    """Draw jets with the fastest kind of model, so that the memory shows within minutes."""
    prepared, clouds = folder / "prepared.h5", folder / "clouds.h5"
    source = folder / "raw.root"
    _run(_stage("ingest", source, "--settings", json.dumps(_INGESTION), "--output", clouds), folder)
    _run(_stage("prepare", clouds, "--settings", "{}", "--seed", 1, "--output", prepared), folder)
    settings = load(GeneratorSettings, json.dumps(_MODEL)).model_dump_json()
    made = {
        name: folder / file
        for name, file in {
            "weights": "weights.safetensors",
            "description": "model.json",
            "history": "history.csv",
        }.items()
    }
    options = [item for name, path in made.items() for item in (f"--{name}", path)]
    _run(_stage("train", prepared, "--settings", settings, "--seed", 1, "--state", folder / "state", *options), folder)
    sampler = json.dumps({"solver": "one_step", "evaluations": 1})
    for number in jets:
        wanted, output = folder / "jets.h5", folder / "sample.h5"
        wall, cpu, peak = _run(_stage("draw-jets", prepared, "--jets", number, "--seed", 1, "--output", wanted), folder)
        yield Load("draw-jets", f"{len(read_jets(wanted)):,} jets", wall, cpu, peak, f"{number / cpu:,.0f} jets/s")
        model = ("--model", made["weights"], made["description"])
        command = _stage("sample", wanted, *model, "--settings", sampler, "--seed", 1, "--output", output)
        wall, cpu, peak = _run(command, folder)
        assert read_header(output), "the sample is there"
        yield Load("sample", f"{number:,} jets", wall, cpu, peak, f"{number / cpu:,.0f} jets/s")


def evaluation(folder: Path, jets: Sequence[int]) -> Iterator[Load]:
    """Take toy jets from clouds to metrics; as many jets as there are for the test are judged."""
    for number in jets:
        files = {name: folder / f"{name}.h5" for name in ("toy", "prepared", "truth", "sample", "drawn")}
        _write_toys(files["toy"], number, 1, relative=False)
        steps: list[tuple[str, list[object], Path]] = [
            ("prepare", [files["toy"], "--settings", "{}", "--seed", 1], files["prepared"]),
            ("observe", [files["prepared"]], files["truth"]),
        ]
        for name, options, output in steps:
            wall, cpu, peak = _run(_stage(name, *options, "--output", output), folder)
            yield Load(name, f"{number:,} jets", wall, cpu, peak, f"{number / cpu:,.0f} jets/s")
        files["toy"].unlink()
        with open_clouds(files["prepared"]) as clouds:
            judged = len(clouds.indices["test"])
        _write_toys(files["sample"], judged, 2, relative=True)
        _run(_stage("observe", files["sample"], "--output", files["drawn"]), folder)
        truth = ("--truth", files["prepared"], "--truth-observables", files["truth"])
        sample = ("--sample", files["sample"], "--sample-observables", files["drawn"])
        command = _stage(
            "compare", *truth, *sample, "--settings", "{}", "--seed", 1, "--output", folder / "metrics.csv"
        )
        wall, cpu, peak = _run(command, folder)
        size = f"{number:,} jets, {judged:,} of them judge as many"
        yield Load("compare", size, wall, cpu, peak, f"{2 * judged / cpu:,.0f} jets/s")
        for file in files.values():
            file.unlink(missing_ok=True)


def _write_toys(path: Path, jets: int, seed: int, relative: bool) -> None:
    """Write jets of 10 to 30 particles, as they are ingested or as models draw them, piece by piece."""
    rng = np.random.default_rng(seed)
    points = RELATIVE_COLUMNS if relative else (Column("pt", "GeV"), Column("eta"), Column("phi", "rad"))
    features = (Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_phi", "rad"), Column("jet_mass", "GeV"))
    with create_clouds(path, 30, points, features, () if relative else LABEL_COLUMNS) as writer:
        for first in range(0, jets, 50_000):
            n = min(50_000, jets - first)
            mask = np.arange(30) < rng.integers(10, 31, n)[:, None]
            pt = np.where(mask, -np.sort(-np.where(mask, rng.exponential(30, (n, 30)), 0), axis=1), 0)
            eta, phi = (np.where(mask, rng.normal(0, 0.2, (n, 30)), 0) for _ in range(2))
            px, py, pz = (pt * np.cos(phi)).sum(axis=1), (pt * np.sin(phi)).sum(axis=1), (pt * np.sinh(eta)).sum(axis=1)
            jet_pt = np.hypot(px, py)
            mass = np.sqrt(np.maximum((pt * np.cosh(eta)).sum(axis=1) ** 2 - jet_pt**2 - pz**2, 0))
            of_jet = np.stack([jet_pt, np.zeros(n), np.zeros(n), mass], axis=1)
            columns = [eta, phi, pt / jet_pt[:, None]] if relative else [pt, eta, phi]
            number = first + np.arange(n)
            labels = np.zeros((n, 0)) if relative else np.stack([0 * number, number // 2, number % 2], axis=1)
            writer.append(np.stack(columns, axis=2), mask, of_jet, labels)


def planning(folder: Path, shards: int) -> Iterator[Load]:
    """Plan an analysis whose raw data are in many files."""
    overlay = folder / "shards.yaml"
    overlay.write_text(yaml.safe_dump({"processes": {"top": {"shards": shards}}}), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--quiet", "--configfile", str(overlay)]
    yield Load("snakemake --dry-run", f"{shards:,} raw files", *_run(command, folder), "")


def side_by_side(folder: Path) -> Iterator[Load]:
    """Run the tiny tagging study, up to its metrics, alone, then two of them at once, each allowed one core."""
    for number in (1, 2):
        start, before = time.perf_counter(), os.times()
        running: list[int] = []
        analyses = [_analysis(folder / f"analysis_{number}_{position}") for position in range(number)]
        while any(analysis.poll() is None for analysis in analyses):
            running.append(sum(_running_threads(analysis.pid) for analysis in analyses))
            time.sleep(0.2)
        if any(analysis.returncode for analysis in analyses):
            raise RuntimeError(f"an analysis failed; see {folder}/analysis_{number}_*/load.log")
        after = os.times()
        cpu = after.children_user + after.children_system - before.children_user - before.children_system
        threads = f"running threads: {sum(running) / len(running):.2f} on average, {max(running)} at most"
        name = f"{number} x --cores 1"
        yield Load("tiny tagging study", name, time.perf_counter() - start, cpu, None, threads)


def _analysis(folder: Path) -> subprocess.Popen[bytes]:
    outputs = ("results*", "state", "logs", "data", ".*")
    shutil.copytree(REPOSITORY, folder, ignore=shutil.ignore_patterns(*outputs))
    metrics = "results_tiny/tagging/metrics.csv"
    command = [sys.executable, "-m", "snakemake", metrics, "--cores", "1", "--configfile", "configs/tiny.yaml"]
    log = (folder / "load.log").open("wb")
    return subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=_environment())


def _running_threads(pid: int) -> int:
    """Return how many threads of a process and its descendants run at this moment."""
    try:
        family = [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.NoSuchProcess:
        return 0
    running = 0
    for member in family:
        for stat in Path(f"/proc/{member}/task").glob("*/stat"):
            with contextlib.suppress(OSError):
                running += stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "R"
    return running


def main() -> None:
    """Measure, print each row as it comes, and write the table at the end."""
    parser = argparse.ArgumentParser(prog="benchmarks.load", description=__doc__)
    parser.add_argument(
        "--scratch", type=Path, required=True, help="folder that does not exist yet; removed at the end"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--gigabytes", type=float, nargs="*", default=[0.1, 1, 10], help="raw data to ingest")
    parser.add_argument("--jets", type=int, nargs="*", default=[10_000, 100_000, 1_000_000], help="jets to sample")
    parser.add_argument("--evaluated", type=int, nargs="*", default=[1_000_000], help="jets from clouds to metrics")
    parser.add_argument("--shards", type=int, nargs="*", default=[100, 1000, 10_000], help="raw files of a dry run")
    parser.add_argument("--analyses", action=argparse.BooleanOptionalAction, default=True, help="two at once")
    options = parser.parse_args()
    options.scratch.mkdir(parents=True)
    folder = options.scratch.resolve()
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, [field.name for field in fields(Load)], lineterminator="\n")
    table.writeheader()
    loads = itertools.chain(
        ingestion(folder, options.gigabytes) if options.gigabytes else (),
        sampling(folder, options.jets) if options.jets else (),
        evaluation(folder, options.evaluated),
        *(planning(folder, shards) for shards in options.shards),
        side_by_side(folder) if options.analyses else (),
    )
    for measured in loads:
        row = {name: f"{value:.1f}" if isinstance(value, float) else value for name, value in asdict(measured).items()}
        table.writerow(row)
        print(", ".join(f"{name} {value}" for name, value in row.items() if value), flush=True)
    write_text(options.output, text.getvalue())
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
