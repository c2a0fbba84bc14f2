"""The comparison step of the jet level: what models are asked for, against the jets of the test part."""

from pathlib import Path

import pandas as pd

from cloudchamber import seeds
from cloudchamber.cloud_file import open_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.jet_features import JetFeatures, read_jets
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.metrics.divergence import kl_divergence
from cloudchamber.metrics.resampling import Sample, bootstrap_weights
from cloudchamber.metrics.tables import DISTANCE_COLUMNS, write_table
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, say_unlike
from cloudchamber.metrics.wasserstein import wasserstein_distance
from cloudchamber.preparation.origin import refuse_other_origin
from cloudchamber.settings.metrics import MetricSettings

__all__ = ["REQUESTED", "compare_jet_features"]

# Name of each feature in tables, where it must not be taken for the one that is measured on generated particles.
REQUESTED = {
    "requested_pt": "jet_pt",
    "requested_mass": "jet_mass",
    "requested_pt_rel": "jet_pt_rel",
    "requested_multiplicity": "multiplicity",
}


def compare_jet_features(truth: Path, drawn: Path, settings: MetricSettings, seed: int, output: Path) -> None:
    """Compare drawn jets with those of the test part; as many jets of the training part give the floor.

    Args:
        truth: prepared jets; their stored features count, not those of their particles.
        drawn: drawn jets.
        settings: bins and number of resamplings.
        seed: of the resamplings.
        output: CSV with the columns of :func:`cloudchamber.metrics.comparison.compare`, metrics "kl" and "w1", and
            the features of ``REQUESTED``.

    Raises:
        InputError: a file cannot be used, the drawn jets are not of those of the truth, or the training part has fewer
            jets than were drawn.
    """
    with open_clouds(truth) as clouds:
        test, train = (JetFeatures.of_part(clouds, name, truth) for name in ("test", "train"))
    jets = read_jets(drawn)
    refuse_other_origin(drawn, read_observables(drawn)[1], truth, clouds.meta, "was drawn from")
    if len(train) < len(jets):
        raise InputError(
            f"{truth}: the floor needs at least as many training jets as there are drawn ones:"
            f" {len(train)} training jets, {len(jets)} drawn"
        )
    of_floor = train[: len(jets)]
    say_unlike(
        "compare-jets", "test jets", test.columns, "the training jets of the floor", of_floor.columns, IN_RANDOM_ORDER
    )
    rng = seeds.generator(seed, "bootstrap")
    test_weights, weights = (bootstrap_weights(len(side), settings.bootstraps, rng) for side in (test, jets))
    rows = []
    for metric in ("kl", "w1"):
        for feature, column in REQUESTED.items():
            reference, *candidates = (Sample.of_jets(side.columns[column]) for side in (test, jets, of_floor))
            estimates = [
                kl_divergence(reference, sample, settings.bins, test_weights, weights)
                if metric == "kl"
                else wasserstein_distance(reference, sample, test_weights, weights)
                for sample in candidates
            ]
            rows.append((metric, feature, *estimates[0], *estimates[1], len(test), len(jets)))
    write_table(output, pd.DataFrame(rows, columns=list(DISTANCE_COLUMNS)))
