"""How well generated jets cover true ones, and how close they come, in the energy mover's distance."""

import math

import numpy as np

from cloudchamber.cloud_file import AnyClouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.energy_mover import energy_movers_distances
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.progress import progress

__all__ = ["coverage_and_mmd", "sizes_of_batches"]

# Two batches of two jets.
_FEWEST = 4


def sizes_of_batches(jets: int, batches: int, there: int) -> tuple[int, int]:
    """Return how many jets a batch takes and how many batches there are, so that no jet is in two batches.

    Args:
        jets: per batch, as asked for.
        batches: as asked for; where that leaves no two jets for a batch there are fewer.
        there: jets of the smallest sample.

    Raises:
        InputError: there are not two batches of two jets.

    Example:
        >>> sizes_of_batches(50, 5, 1000), sizes_of_batches(50, 5, 60), sizes_of_batches(50, 5, 7)
        ((50, 5), (12, 5), (2, 3))
    """
    if there < _FEWEST:
        raise InputError(f"coverage needs {_FEWEST} jets or more of each sample, not {there}")
    size = max(2, min(jets, there // batches))
    return size, min(batches, there // size)


def coverage_and_mmd(
    truth: AnyClouds,
    generated: AnyClouds,
    rng: np.random.Generator,
    jets: int = 50,
    batches: int = 5,
    radius: float = 1.0,
) -> tuple[Estimate, Estimate]:
    """Return coverage and minimum matching distance of generated jets (arXiv 2106.11535).

    Coverage is the share of true jets of a batch that are the nearest true jet of at least one generated jet; of
    equally near ones the first counts. The minimum matching distance is the mean over true jets of the distance to the
    nearest generated jet. Both depend on ``jets``, and a perfect model does not reach a coverage of one: they are to be
    read against the same numbers between two samples of truth.

    A batch holds as many true as generated jets, and no jet is in two batches: batches that share jets differ too
    little, those of all jets not at all. The code of jetnet, of which this is the definition otherwise, draws with
    replacement, which lowers the coverage where samples are small. Values are means over batches, uncertainties their
    standard errors, which for few batches are rough themselves, and not a number for a single one.

    Args:
        truth, generated: see :func:`cloudchamber.metrics.energy_mover.energy_movers_distances`.
        rng: generator of the draw.
        jets: per batch, of truth and of generated jets each.
        batches: number of batches.
        radius: see :func:`cloudchamber.metrics.energy_mover.energy_movers_distances`.

    Raises:
        InputError: fewer jets than all batches take.
    """
    for name, clouds in (("true", truth), ("generated", generated)):
        if len(clouds) < jets * batches:
            raise InputError(
                f"coverage in {batches} batches of {jets} jets, but there are only {len(clouds)} {name} jets"
            )
    coverages, distances = np.empty(batches), np.empty(batches)
    drawn = [
        rng.choice(len(clouds), jets * batches, replace=False).reshape(batches, jets) for clouds in (truth, generated)
    ]
    with progress("energy mover's distances", batches, "batches") as report:
        for batch, (true_rows, generated_rows) in enumerate(zip(*drawn, strict=True)):
            distance = energy_movers_distances(truth[true_rows], generated[generated_rows], radius)
            coverages[batch] = len(np.unique(distance.argmin(axis=0))) / jets
            distances[batch] = distance.min(axis=1).mean()
            report.update()
    return _mean(coverages), _mean(distances)


def _mean(values: np.ndarray) -> Estimate:
    error = values.std(ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return Estimate(float(values.mean()), float(error))
