"""The step ``solver-scan``: one model drawn from with every solver at several numbers of evaluations."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.artifact import load_artifact
from cloudchamber.generative.jet_features import JetFeatures, read_jets
from cloudchamber.generative.sample import draw_clouds
from cloudchamber.jets.observable_file import read_observables, read_observables_of
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.metrics.divergence import kl_divergence
from cloudchamber.metrics.resampling import Estimate, Sample, bootstrap_weights
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, say_unlike
from cloudchamber.metrics.wasserstein import wasserstein_distance
from cloudchamber.networks.packing import padded
from cloudchamber.preparation.origin import refuse_other_inputs, refuse_other_origin
from cloudchamber.progress import progress
from cloudchamber.settings.generation import SolverScanSettings
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, SamplerSettings, Solver
from cloudchamber.settings.metrics import MetricSettings
from cloudchamber.storage import read_json, write_rows

__all__ = ["FEATURES", "points_of", "solver_scan"]

# Multiplicity and pT are not among them: they are given to a model, or may be imposed on what it generates.
FEATURES = ("jet_mass", "tau21", "tau32", "d2")
_STOCHASTIC: tuple[Solver, ...] = ("euler_maruyama",)

_Distances = Mapping[tuple[str, str], Estimate]


def points_of(settings: SolverScanSettings, segments: int | None) -> list[SamplerSettings]:
    """Return what a model is drawn from with.

    Args:
        settings: solvers and numbers of evaluations.
        segments: of a flow map, which is drawn from with every number of evaluations that divides them. Other models
            are with every solver and number of evaluations that it can spend: whole steps, and one for "one_step".
    """
    if segments is not None:
        numbers = [number for number in range(1, segments + 1) if segments % number == 0]
        return [
            SamplerSettings(solver="flow_map", evaluations=number, momentum_sum=settings.momentum_sum)
            for number in numbers
        ]
    return [
        SamplerSettings(solver=solver, evaluations=evaluations, momentum_sum=settings.momentum_sum)
        for solver in settings.solvers
        for evaluations in settings.evaluations
        if evaluations % EVALUATIONS_PER_STEP[solver] == 0 and (solver != "one_step" or evaluations == 1)
        if solver != "flow_map"
    ]


def solver_scan(
    weights: Path,
    description: Path,
    truth: Path,
    truth_observables: Path,
    jets_file: Path,
    settings: SolverScanSettings,
    metrics: MetricSettings,
    seed: int,
    output: Path,
) -> None:
    """Draw from a model with every solver and number of evaluations and write the distances from the test part.

    All points draw the same jets from the same noise, so that they differ by their solver only. Their floor, the same
    for all, is that of as many jets of the training part. A solver with too few steps may give values that are not
    finite; its rows have no value.

    Args:
        weights, description: the trained model.
        truth, truth_observables: true jets and their observables.
        jets_file: multiplicity, pT and mass of the jets to draw.
        settings: solvers, numbers of evaluations, and how many of the jets are drawn: no more than there are, or than
            there are training jets.
        metrics: bins and number of resamplings.
        seed: of the noise and the resamplings.
        output: CSV with a row per solver, number of evaluations, metric ("kl" and "w1", as in
            :func:`cloudchamber.metrics.comparison.compare`) and feature in ``FEATURES``.

    Raises:
        InputError: a file cannot be used, model, jets and truth are not of the same jets, or there are no training
            jets.
    """
    artifact = load_artifact(weights, description)
    jets = read_jets(jets_file)
    true = read_clouds(truth)
    of_jets = read_observables(jets_file)[1]
    refuse_other_inputs(jets_file, of_jets, description, read_json(description))
    refuse_other_origin(jets_file, of_jets, truth, true.meta, "was drawn from")
    table, _ = read_observables_of(truth, len(true), truth_observables)
    missing = [name for name in FEATURES if name not in table]
    if missing:
        raise InputError(f"{truth_observables}: no observable '{missing[0]}' among {sorted(table)}")
    n_jets = min(settings.jets, len(jets), len(true.indices.get("train", ())))
    if not n_jets:
        raise InputError(f"{truth}: no training jets, which give the floor")
    if n_jets < settings.jets:
        sys.stderr.write(f"solver-scan: {n_jets} jets per point and not {settings.jets}, which are not there\n")
    jets = jets[:n_jets]
    reference, of_train = ({name: table[name][true.indices[part]] for name in FEATURES} for part in ("test", "train"))
    of_floor = {name: values[:n_jets] for name, values in of_train.items()}
    say_unlike("solver-scan", "test jets", reference, "the training jets of the floor", of_floor, IN_RANDOM_ORDER)
    rng = seeds.generator(seed, "bootstrap")
    resamplings = tuple(
        bootstrap_weights(size, metrics.bootstraps, rng) for size in (len(true.indices["test"]), n_jets)
    )

    def distances(values: Mapping[str, np.ndarray]) -> _Distances:
        return dict(_distances(reference, values, metrics.bins, *resamplings))

    floor = distances(of_floor)
    points = points_of(settings, artifact.settings.flow_map_segments)
    rows: list[dict[str, Any]] = []
    with progress("solver scan", len(points) * n_jets, "jets") as bar:
        for sampler in points:
            bar.note(f"{sampler.solver}, {sampler.evaluations} evaluations")
            drawn = draw_clouds(artifact, jets, sampler, seed, bar.update)
            values = _observables(drawn.values, jets)
            found = {} if values is None else distances(values)
            for (metric, feature), (lowest, uncertainty_of_lowest) in floor.items():
                value, uncertainty = found.get((metric, feature), Estimate(np.nan, np.nan))
                rows.append(
                    {
                        "solver": sampler.solver,
                        "stochastic": sampler.solver in _STOCHASTIC,
                        "evaluations": drawn.evaluations,
                        "metric": metric,
                        "feature": feature,
                        "value": value,
                        "uncertainty": uncertainty,
                        "floor": lowest,
                        "floor_uncertainty": uncertainty_of_lowest,
                        "n_reference": len(true.indices["test"]),
                        "n_generated": n_jets,
                        "seconds_per_jet": drawn.seconds / n_jets,
                    }
                )
    write_rows(output, rows)


def _observables(particles: np.ndarray, jets: JetFeatures) -> dict[str, np.ndarray] | None:
    """Return the features of jets of packed (M, 3) particles, or None if one of any jet is not finite."""
    if not np.isfinite(particles).all():
        return None
    points, mask = padded(particles, jets.multiplicity, jets.width)
    clouds = Clouds(
        points=points,
        mask=mask,
        features=jets.jet_pt[:, None].astype(np.float32),
        labels=np.zeros((len(jets), 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=(Column("jet_pt", "GeV"),),
    )
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            observables = observe(clouds)
    except InputError:
        # The columns are right by construction: what is left are particles so far out that an observable overflows.
        return None
    return {name: observables[name] for name in FEATURES}


def _distances(
    truth: Mapping[str, np.ndarray],
    generated: Mapping[str, np.ndarray],
    bins: int,
    truth_weights: np.ndarray,
    generated_weights: np.ndarray,
) -> Iterator[tuple[tuple[str, str], Estimate]]:
    """Yield metric and feature with their distance."""
    for feature in FEATURES:
        pair = Sample.of_jets(truth[feature]), Sample.of_jets(generated[feature])
        yield ("kl", feature), kl_divergence(*pair, bins, truth_weights, generated_weights)
        yield ("w1", feature), wasserstein_distance(*pair, truth_weights, generated_weights)
