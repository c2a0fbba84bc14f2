"""The step ``compare``: distances of a sample from truth."""

import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.cloud_file import CloudFile, open_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import open_observables_of
from cloudchamber.metrics.cloud_comparison import compare_clouds
from cloudchamber.metrics.comparison import compare
from cloudchamber.metrics.piecewise import PartObservables
from cloudchamber.metrics.same_jets import JetContents
from cloudchamber.metrics.sample_checks import check_sample
from cloudchamber.metrics.tables import write_table
from cloudchamber.settings.metrics import MetricSettings

__all__ = ["METRICS", "compare_files"]

# Of samples without event weights.
METRICS = ("kl", "w1", "w1m", "w1p", "w1efp", "fpd", "kpd", "coverage", "mmd", "memorisation", "duplicates")


def compare_files(
    truth: Path,
    truth_observables: Path,
    sample: Path,
    sample_observables: Path,
    settings: MetricSettings,
    seed: int,
    output: Path,
) -> None:
    """Compare a sample with the test part of the truth; the training part gives the floor.

    Jets are read piece by piece, so that memory grows with their number by what one feature and the resamplings take.
    Truth may have event weights; what of the metrics cannot take them is left out, which is said on standard error.

    Args:
        truth, truth_observables: prepared jets and their observables.
        sample, sample_observables: generated jets and their observables.
        settings: bins and number of resamplings.
        seed: of the resamplings.
        output: CSV of the metrics without the columns that name the sample.

    Raises:
        InputError: a file cannot be used, the sample was drawn from a model of other jets than those of the truth, or
            the training part has fewer jets than the sample.
    """
    with ExitStack() as files:
        true = files.enter_context(open_clouds(truth, weighted=True))
        drawn = files.enter_context(open_clouds(sample))
        check_sample("compare", sample, drawn, truth, true, JetContents.of(true.part("test")))
        _refuse_more_particles(sample, drawn, truth, true)
        of_true = files.enter_context(open_observables_of(truth, len(true), truth_observables))
        of_drawn = files.enter_context(open_observables_of(sample, len(drawn), sample_observables))
        test, train = (true.part(name) for name in ("test", "train"))
        observables = [PartObservables(of_true, true.indices[name]) for name in ("test", "train")]
        generated = drawn.all, PartObservables(of_drawn, np.arange(len(drawn)))
        sides = (test, observables[0], *generated, train, observables[1])
        of_features = compare(*sides, settings, seeds.generator(seed, "bootstrap"))
        of_clouds = compare_clouds(test, train, generated[0], settings, seeds.generator(seed, "batches"))
    table = pd.concat([of_features, of_clouds], ignore_index=True)
    left_out = [metric for metric in METRICS if metric not in set(table["metric"])]
    if left_out:
        sys.stderr.write(f"compare: {truth} has event weights, which these cannot take: {', '.join(left_out)}\n")
    write_table(output, table)


def _refuse_more_particles(sample: Path, generated: CloudFile, truth: Path, true: CloudFile) -> None:
    """Raise InputError where one of the two has jets of more particles than the other keeps."""
    for (path, clouds), (other, its) in (((sample, generated), (truth, true)), ((truth, true), (sample, generated))):
        # Fewer slots cannot hold more particles: only then do particles have to be read.
        if clouds.width <= its.width:
            continue
        most = max(int(piece.multiplicity.max(initial=0)) for _, piece in clouds.pieces())
        if most > its.width:
            raise InputError(f"{path}: has jets of {most} particles, {other} keeps {its.width} at most")
