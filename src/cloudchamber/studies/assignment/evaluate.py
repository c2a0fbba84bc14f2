"""The step that judges all methods: tables of metrics, significance, masses and reliability."""

from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import of_share
from cloudchamber.metrics.tables import read_table
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.assignment.assignment_file import Assignments, read_assignments
from cloudchamber.studies.assignment.calibration import reliability
from cloudchamber.studies.assignment.efficiencies import correct_particles
from cloudchamber.studies.assignment.event_file import Events, read_events
from cloudchamber.studies.assignment.jets_alike import say_other_cut, say_other_jets
from cloudchamber.studies.assignment.masses import top_pair_masses
from cloudchamber.studies.assignment.measures import (
    COLUMNS,
    Judged,
    in_bins,
    judge,
    metric_rows,
    sample_rows,
    window_row,
)
from cloudchamber.studies.assignment.methods import STRONGEST
from cloudchamber.studies.assignment.settings import EvaluationSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR as TOPOLOGY

__all__ = ["evaluate_assignments", "significances"]

_COST = ("model", "batch_size", "seconds_per_event", "lowest", "highest")


def evaluate_assignments(
    files: Mapping[str, Any],
    settings: EvaluationSettings,
    seed: int,
    metrics: Path,
    significance: Path,
    masses: Path,
    calibration: Path,
) -> None:
    """Judge assignments.

    Args:
        files: "samples", a list with "name", "events" and "assignments"; "background", the same for a sample without
            tops, or null; "cost", a table of times, or null.
        settings: bins and windows.
        seed: of random assignments and of draws of true probabilities.
        metrics: CSV with :data:`COLUMNS`.
        significance: CSV: difference of the event efficiency of each network from each chi-square, on the same events.
        masses: CSV: histograms of the masses of W and top, for right and wrong tops and for all.
        calibration: CSV: probability of an assignment and how often it is right, in bins.

    Raises:
        InputError: a file cannot be used, or assignments are not of the events.
        SettingsError: a key is missing.
    """
    rng = seeds.generator(seed, "assignment", "evaluate")
    rows: list[dict[str, Any]] = []
    differences: list[dict[str, Any]] = []
    histograms: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    jets: dict[str, np.ndarray] = {}
    samples = entries(files, "samples", ("name", "events", "assignments"))
    with progress("evaluation", None, "methods") as report:
        for entry in samples:
            events, methods = _read(entry)
            jets[entry["name"]] = events.n_jets
            rows += sample_rows(entry["name"], events)
            judged = [judge(made, events) for made in methods]
            differences += significances(entry["name"], judged)
            first = _first_seeds(methods)
            for item in judged:
                rows += metric_rows(entry["name"], item, settings, rng)
                if item.made in first:
                    histograms += _histograms(entry["name"], item, settings)
                    curves += _curve(entry["name"], item, settings)
                report.update()
        background = need(files, "background")
        if background is not None:
            events, methods = _read(background)
            for entry in samples:
                say_other_jets(Path(background["events"]), Path(entry["events"]))
                say_other_cut(Path(background["events"]), events.n_jets, Path(entry["events"]), jets[entry["name"]])
            first = _first_seeds(methods)
            for made in methods:
                own = events[made.rows]
                rows.append(window_row(background["name"], made, own, settings, rng))
                if made in first:
                    histograms += _of_masses(background["name"], made, own, settings, {"all": None})
                report.update()
    rows += _cost_rows(need(files, "cost"))
    write_rows(metrics, [dict.fromkeys(COLUMNS, "") | row for row in rows])
    write_rows(significance, differences or [dict.fromkeys(("dataset", "model"), "")])
    write_rows(masses, histograms)
    write_rows(calibration, curves or [dict.fromkeys(("dataset", "model"), "")])


def _read(entry: Mapping[str, Any]) -> tuple[Events, list[Assignments]]:
    source, path = Path(need(entry, "events")), Path(need(entry, "assignments"))
    events = read_events(source, TOPOLOGY)
    methods = read_assignments(path, source)
    for made in methods:
        rows = made.rows
        if len(rows) and not (rows.min() >= 0 and rows.max() < len(events)):
            raise InputError(f"{path}: assignments of '{made.method}' are not of the events of {source}")
    return events, [made for made in methods if len(made.rows)]


def _first_seeds(methods: Sequence[Assignments]) -> list[Assignments]:
    """Return the first training of each model with all events of each sample, and the chi-squares."""
    first: dict[tuple[str, str], Assignments] = {}
    for made in methods:
        if made.training_events is None:
            first.setdefault((made.method, made.trained_on), made)
    return list(first.values())


def significances(dataset: str, judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Return the difference of the event efficiency of each network from each chi-square with b-tags.

    Both are taken on the same events. The mean over seeds counts for each event; the error is that of the mean over
    events, with the spread over seeds over the root of their number added in squares.
    """
    groups: dict[tuple[str, str], list[Judged]] = {}
    for item in judged:
        if item.made.is_trained and item.made.training_events is None:
            made = item.made
            groups.setdefault((made.method, made.trained_on), []).append(item)
    others = {item.made.method: item for item in judged if item.made.method in STRONGEST}
    rows = []
    for (method, trained_on), items in groups.items():
        for name, other in others.items():
            # Also of seeds that assigned other events than the first.
            common = reduce(np.intersect1d, [item.made.rows for item in items], other.made.rows)
            own = np.stack([_right(item, common) for item in items])
            difference = own - _right(other, common)
            complete = _at(other, other.complete, common)
            for bin_name, inside in in_bins(other.events).items():
                chosen = complete & _at(other, inside, common)
                n = int(chosen.sum())
                if not n:
                    continue
                of_events = difference[:, chosen].mean(axis=0)
                of_seeds = difference[:, chosen].mean(axis=1)
                spread = float(of_seeds.std(ddof=1) / np.sqrt(len(of_seeds))) if len(of_seeds) > 1 else 0.0
                value = float(of_events.mean())
                # From -1 to 1, twice the width of a share.
                as_share = of_share(Estimate((value + 1) / 2, float(of_events.std() / np.sqrt(n)) / 2), n)
                error = float(np.hypot(2 * as_share.uncertainty, spread))
                rows.append(
                    {
                        "dataset": dataset,
                        "model": method,
                        "trained_on": trained_on,
                        "n_training": items[0].made.complete_events,
                        "other": name,
                        "feature": bin_name,
                        "difference": value,
                        "uncertainty": error,
                        "standard_deviations": value / error if error else "",
                        "seeds": len(items),
                        "n_reference": n,
                    }
                )
    return rows


def _at(item: Judged, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return those of the (n,) values of a method that are of the events ``rows``."""
    return values[np.searchsorted(item.made.rows, rows)]


def _right(item: Judged, rows: np.ndarray) -> np.ndarray:
    return _at(item, item.right, rows).astype(np.float64)


def _histograms(dataset: str, item: Judged, settings: EvaluationSettings) -> list[dict[str, Any]]:
    # A given top is right where it is one of the true ones: the same comparison with the roles exchanged.
    right = correct_particles(item.events.targets, item.made.jets, TOPOLOGY)
    return _of_masses(dataset, item.made, item.events, settings, {"right": right, "wrong": ~right, "all": None})


def _of_masses(
    dataset: str,
    made: Assignments,
    events: Events,
    settings: EvaluationSettings,
    which: Mapping[str, np.ndarray | None],
) -> list[dict[str, Any]]:
    rows = []
    ranges = {"w_mass": settings.w_masses, "top_mass": settings.top_masses}
    for (feature, limits), values in zip(ranges.items(), top_pair_masses(events, made.jets), strict=True):
        edges = np.linspace(*limits, settings.mass_bins + 1)
        there = np.isfinite(values)
        for kind, chosen in which.items():
            counted = values[there if chosen is None else there & chosen]
            counts, _ = np.histogram(counted, edges)
            rows += [
                {
                    "dataset": dataset,
                    "model": made.method,
                    "trained_on": made.trained_on,
                    "feature": feature,
                    "tops": kind,
                    "low": low,
                    "high": high,
                    "count": int(count),
                    "n": len(counted),
                }
                for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True)
            ]
    return rows


def _curve(dataset: str, item: Judged, settings: EvaluationSettings) -> list[dict[str, Any]]:
    complete = item.complete
    if not item.made.is_trained or not complete.any():
        return []
    found = reliability(item.probability[complete], item.right[complete], settings.calibration_bins)
    return [
        {
            "dataset": dataset,
            "model": item.made.method,
            "trained_on": item.made.trained_on,
            "probability": float(promised),
            "right": float(share),
            "uncertainty": float(error),
            "n": int(n),
        }
        for promised, share, error, n in zip(found.promised, found.right, found.uncertainty, found.n, strict=True)
    ]


def _cost_rows(cost: str | None) -> list[dict[str, Any]]:
    if cost is None:
        return []
    table = read_table(cost, _COST)
    return [
        {
            "study": "assignment",
            "dataset": "events",
            "model": line["model"],
            "metric": "seconds_per_event",
            "feature": f"batches of {line['batch_size']}",
            "value": line["seconds_per_event"],
            # Half of the range of the rounds.
            "uncertainty": (line["highest"] - line["lowest"]) / 2,
        }
        for line in table.to_dict("records")
    ]
