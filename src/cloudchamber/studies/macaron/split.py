"""The step that measures the order of splitting schemes on interacting particles, and writes some paths."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.networks.splitting import Scheme, evolve, parts_of
from cloudchamber.progress import progress
from cloudchamber.storage import write_rows
from cloudchamber.studies.macaron.orders import CASES, Measured, expected_order, measure_errors, slopes
from cloudchamber.studies.macaron.particles import InteractingParticles, flows_of
from cloudchamber.studies.macaron.settings import ParticleSystem, SplittingSettings

__all__ = ["measure_splitting"]

_DRAWN_SCHEMES: tuple[Scheme, ...] = ("lie", "strang")
_POINTS_OF_SOLUTION = 33


def measure_splitting(settings: SplittingSettings, seed: int, errors: Path, orders: Path, paths: Path) -> None:
    """Measure errors and orders of all schemes, and write them with the paths of one system as CSV.

    Args:
        settings: systems and numbers of steps.
        seed: of the systems, which share their random numbers whatever the strength of the interaction.
        errors: system, sub_step, scheme, kind, steps, value (geometric mean over draws) and uncertainty (standard
            error), ratio_to_lie and ratio_uncertainty (the same for the ratio of two schemes with equal sub-steps).
        orders: system, sub_step, scheme, kind, value (mean over draws), uncertainty (standard error), expected, draws.
        paths: scheme ("solution" for the true path), part that moved last, particle, time, x, y; of the first system.

    Raises:
        StorageError: a file cannot be written.
    """
    rows_of_errors: list[dict[str, Any]] = []
    rows_of_orders: list[dict[str, Any]] = []
    with progress("splitting", len(settings.systems) * len(CASES), "schemes") as bar:
        for name, item in settings.systems.items():
            system, start = _drawn(settings, item, seed)
            of_lie: dict[tuple[str, str], np.ndarray] = {}
            for found in measure_errors(system, start, settings.duration, item.steps, item.exact_step):
                lie = of_lie.setdefault((found.case.sub_step, found.kind), found.errors)
                rows_of_errors += _error_rows(name, found, lie)
                rows_of_orders.append(_order_row(name, found))
                bar.update(int(found.kind == "one_step"))
    first = next(iter(settings.systems.values()))
    write_rows(errors, rows_of_errors)
    write_rows(orders, rows_of_orders)
    write_rows(paths, list(_path_rows(settings, first, seed)))


def _drawn(settings: SplittingSettings, item: ParticleSystem, seed: int) -> tuple[InteractingParticles, np.ndarray]:
    rng = seeds.generator(seed, "macaron", "particles")
    start = rng.normal(size=(settings.draws, settings.particles, 2))
    return InteractingParticles.drawn(settings.draws, item.strength, rng), start


def _error_rows(system: str, found: Measured, lie: np.ndarray) -> Iterator[dict[str, Any]]:
    for n, errors, of_lie in zip(found.steps, found.errors, lie, strict=True):
        value, uncertainty = _geometric_mean(errors)
        ratio, ratio_uncertainty = _geometric_mean(errors / of_lie)
        yield _head(system, found) | {
            "steps": n,
            "value": value,
            "uncertainty": uncertainty,
            "ratio_to_lie": ratio,
            "ratio_uncertainty": ratio_uncertainty,
        }


def _order_row(system: str, found: Measured) -> dict[str, Any]:
    of_draws = slopes(found.steps, found.errors)
    return _head(system, found) | {
        "value": float(of_draws.mean()),
        "uncertainty": _standard_error(of_draws),
        "expected": expected_order(found.case, found.kind),
        "draws": len(of_draws),
    }


def _head(system: str, found: Measured) -> dict[str, Any]:
    return {"system": system, "sub_step": found.case.sub_step, "scheme": found.case.scheme, "kind": found.kind}


def _geometric_mean(values: np.ndarray) -> tuple[float, float]:
    logarithms = np.log(values)
    mean = float(np.exp(logarithms.mean()))
    return mean, mean * _standard_error(logarithms)


def _standard_error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values)))


def _path_rows(settings: SplittingSettings, item: ParticleSystem, seed: int) -> Iterator[dict[str, Any]]:
    """Yield the paths of the first drawn system: the solution, and schemes with sub-steps of Euler's method."""
    system, start = _drawn(settings, item, seed)
    times = np.linspace(0.0, settings.duration, _POINTS_OF_SOLUTION)
    exact = flows_of(system, "exact", item.exact_step)
    state = start
    for time, before in zip(times, (0.0, *times), strict=False):
        state = exact["both"](state, time - before) if time else state
        yield from _points("solution", "both", float(time), state)
    flows = flows_of(system, "euler", item.exact_step)
    step = settings.duration / settings.path_steps
    for scheme in _DRAWN_SCHEMES:
        state = start
        yield from _points(scheme, "both", 0.0, state)
        for number in range(settings.path_steps):
            for part, share in parts_of(scheme, 1):
                state = flows[part](state, share * step)
                yield from _points(scheme, part, (number + 1) * step, state)
        assert np.allclose(state, evolve(start, flows, scheme, settings.duration, settings.path_steps))


def _points(scheme: str, part: str, time: float, state: np.ndarray) -> Iterator[dict[str, Any]]:
    for particle, (x, y) in enumerate(state[0].tolist()):
        yield {"scheme": scheme, "part": part, "particle": particle, "time": time, "x": x, "y": y}
