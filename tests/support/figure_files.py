"""Files of a small study, made up, for tests of figures and tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.generative.compare_jets import REQUESTED
from cloudchamber.generative.jet_features import JetFeatures, write_jets
from cloudchamber.jets.features import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.metrics.tables import DISTANCE_COLUMNS
from cloudchamber.studies.jet_generation.jet_metrics import JET_METRICS

__all__ = ["FEATURES", "GENERATED", "MANY", "MODELS", "SCANNED", "SEEDS", "TRUE", "some_clouds", "study_files"]

SCANNED = ("jet_mass", "tau21", "tau32", "d2")
FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
TRUE, GENERATED = 120, 150
MODELS = (
    ("flow", "Flow & co", ("midpoint", "euler_maruyama")),
    ("other", "Other_1", ("ddim",)),
    ("zero", "Zero", ("none",)),
)
# As many as a study has, with names as long as theirs.
MANY = (
    ("flow", "EPiC flow matching", ("midpoint", "euler_maruyama")),
    *((f"variant {number} of EPiC-JeDi (pT, mass)",) * 2 + (("ddim",),) for number in range(8)),
    ("zero", "independent particles", ("none",)),
)
SEEDS = (1, 2)

_Models = Sequence[tuple[str, str, tuple[str, ...]]]


def some_clouds(rng: np.random.Generator, n: int, absolute: bool = False) -> Clouds:
    width = 8
    mask = np.arange(width) < rng.integers(3, width + 1, n)[:, None]
    pt = -np.sort(-rng.exponential(0.2, (n, width)), axis=1) * (900 if absolute else 1)
    points = np.stack([rng.normal(0, 0.2, (n, width)), rng.normal(0, 0.2, (n, width)), pt], axis=2)
    names = ("eta_rel", "phi_rel", "pt_rel")
    if absolute:
        points, names = points[:, :, [2, 0, 1]], ("pt", "eta", "phi")
    points[~mask] = 0.0
    counted = mask.sum(axis=1) + rng.poisson(3, n)
    features = np.stack([rng.normal(1000, 80, n), rng.normal(170, 20, n), counted, rng.normal(0, 1, n)], axis=1)
    return Clouds(
        points=points.astype("f4"),
        mask=mask,
        features=features.astype("f4"),
        labels=np.zeros((n, 0), "i8"),
        point_columns=tuple(Column(name) for name in names),
        feature_columns=(
            Column("jet_pt", "GeV"),
            Column("jet_mass", "GeV"),
            Column("n_constituents"),
            Column("jet_eta"),
        ),
        meta={
            "truncation": {"clouds_truncated": 30, "mean_lost_pt_fraction": 0.0123, "worst_lost_pt_fraction": 0.2},
        },
    )


def _jets(folder: Path, name: str, rng: np.random.Generator, clouds: Clouds) -> dict[str, str]:
    table = {feature: rng.gamma(20, 0.03, len(clouds)) for feature in JET_FEATURES}
    table["multiplicity"] = clouds.multiplicity.astype(float)
    paths = {"clouds": folder / f"{name}.h5", "observables": folder / f"{name}_observables.h5"}
    write_clouds(paths["clouds"], clouds)
    write_observables(paths["observables"], table, {})
    return {key: str(path) for key, path in paths.items()}


def _metrics(rng: np.random.Generator, models: _Models) -> pd.DataFrame:
    rows = []
    for model, _, samplers in models:
        for sampler in samplers:
            for seed in SEEDS:
                names = {"study": "s", "dataset": "top", "model": model, "sampler": sampler, "nfe": 10, "seed": seed}
                sizes = {"n_reference": TRUE, "n_generated": GENERATED}
                for metric in ("kl", "w1"):
                    for feature in FEATURES:
                        value = {"value": rng.gamma(4, 0.02), "uncertainty": 0.01, "floor": 0.02}
                        rows.append({**names, **sizes, "metric": metric, "feature": feature, **value})
                for metric, value in (
                    ("seconds_per_jet", 0.002),
                    ("evaluations_per_jet", 0 if model == "zero" else 10),
                ):
                    rows.append({**names, "metric": metric, "value": value, "n_generated": GENERATED})
                for metric in JET_METRICS if model != "zero" else ("w1m", "coverage"):
                    value = {"value": rng.normal(2, 0.1), "uncertainty": 0.03, "floor": 1.5}
                    rows.append({**names, **sizes, "metric": metric, **value})
                if sampler == samplers[0]:
                    for metric, floor in (("nlp", 1.4), ("nlp_generated_only", np.log(3))):
                        value = {"value": rng.normal(2, 0.1), "uncertainty": 0.03, "floor": floor}
                        rows.append({**names, **sizes, "metric": metric, **value})
    return pd.DataFrame(rows)


def _scan(path: Path, rng: np.random.Generator) -> str:
    """Write a scan in which the first step of Euler's solver gave nothing."""
    rows = []
    for solver in ("euler", "midpoint", "euler_maruyama"):
        for evaluations in (2, 4, 8):
            lost = solver == "euler" and evaluations == 2
            for metric in ("kl", "w1"):
                for feature in SCANNED:
                    row = {"solver": solver, "stochastic": solver == "euler_maruyama", "evaluations": evaluations}
                    row |= {"metric": metric, "feature": feature, "floor": 0.02, "floor_uncertainty": 0.004}
                    row |= {"value": np.nan if lost else rng.gamma(4, 0.02), "uncertainty": np.nan if lost else 0.01}
                    row |= {"n_reference": TRUE, "n_generated": GENERATED, "seconds_per_jet": 1e-4 * evaluations}
                    rows.append(row)
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def _few_steps(path: Path, scan: Path) -> str:
    """Write the scan of a flow map with the numbers of another scan."""
    table = pd.read_csv(scan)
    table[table["solver"] == "midpoint"].assign(solver="flow_map").to_csv(path, index=False)
    return str(path)


def _times(path: Path, rng: np.random.Generator, models: Sequence[str]) -> str:
    rows = []
    for model in models:
        for multiplicity in (10, 30):
            seconds = 1e-4 * multiplicity * rng.uniform(1, 2)
            row = {"model": model, "sampler": "some", "solver": "midpoint", "precision": "float32", "evaluations": 8}
            row |= {"multiplicity": multiplicity, "jets": 64, "device": "a processor", "clock": "CPU", "threads": 1}
            row |= {"seconds_per_jet": seconds, "lowest": 0.9 * seconds, "highest": 1.3 * seconds}
            rows.append(row | {"seconds_per_evaluation": seconds / 8})
    pd.DataFrame(rows).to_csv(path, index=False)
    return str(path)


def study_files(folder: Path, chosen: _Models = MODELS) -> dict[str, Any]:
    """Write to ``folder`` what every figure and table needs and return all keys in one.

    Args:
        folder: where the files go.
        chosen: name, title and samplers of each model, of which one without a sampler is no trained one.
    """
    rng = np.random.default_rng(7)
    trained = [name for name, _, samplers in chosen if samplers != ("none",)]
    order = rng.permutation(2 * TRUE)
    truth = replace(some_clouds(rng, 2 * TRUE), indices={"test": order[:TRUE], "train": order[TRUE:]})
    of_truth = _jets(folder, "truth", rng, truth)
    models = [
        {
            "name": name,
            "title": title,
            "sampler": sampler,
            "seed": seed,
            **_jets(folder, f"{name}_{sampler}_{seed}", rng, some_clouds(rng, GENERATED)),
        }
        for name, title, samplers in chosen
        for sampler in samplers
        for seed in SEEDS
    ]
    _metrics(rng, chosen).to_csv(folder / "metrics.csv", index=False)
    classes = [name for name, _, _ in chosen] + ["truth"]
    confusion = pd.DataFrame(rng.dirichlet(np.ones(len(classes)), len(classes)), columns=classes)
    confusion.assign(**{"class": classes}).to_csv(folder / "confusion.csv", index=False)
    columns = ("training_loss", "validation_loss", "w1_jet_mass", "w1_jet_pt")
    history = pd.DataFrame({"step": np.arange(1, 6) * 10} | {name: rng.uniform(0.1, 1, 5) for name in columns})
    history.loc[0, "w1_jet_mass"] = np.inf
    history.loc[1, [name for name in columns if name != "training_loss"]] = np.nan
    history.to_csv(folder / "history.csv", index=False)
    real, own = (_jets(folder, name, rng, some_clouds(rng, TRUE, absolute=True)) for name in ("real", "own"))
    return {
        "study": "s",
        "dataset": "top",
        "title": "some jets",
        "truth": of_truth["clouds"],
        "truth_observables": of_truth["observables"],
        "models": models,
        "metrics": str(folder / "metrics.csv"),
        "confusions": [{"seed": seed, "path": str(folder / "confusion.csv")} for seed in SEEDS],
        "histories": [
            {"name": name, "title": name, "seed": seed, "path": str(folder / "history.csv")}
            for name in trained
            for seed in SEEDS
        ],
        "processes": [
            {"name": "top", "title": "tops", "own": own, "real": real, "physics": {}, "selection": {}},
            {"name": "qcd", "title": "light", "own": own, "real": None, "physics": {}, "selection": {}},
        ],
        "datasets": [{"name": "top", "title": "tops", "clouds": own["clouds"]}],
        "pairs": [{"unconditional": "flow", "conditional": name} for name in trained[1:]],
        "scans": [
            {"name": name, "title": name, "path": _scan(folder / f"{name}_scan.csv", rng)} for name in trained[:2]
        ],
        "flow_maps": [
            {
                "name": trained[1],
                "title": trained[1],
                "teacher": trained[0],
                "teacher_sampler": "midpoint",
                "path": _few_steps(folder / "few_steps.csv", folder / f"{trained[1]}_scan.csv"),
            }
        ],
        **_jet_level(folder, rng),
        "times": _times(folder / "times.csv", rng, trained),
        "settings": _settings(),
    }


def _jet_level(folder: Path, rng: np.random.Generator) -> dict[str, list[dict[str, Any]]]:
    jets, comparison = folder / "jets.h5", folder / "jets.csv"
    clouds = replace(some_clouds(rng, GENERATED), indices={"drawn": np.arange(GENERATED)})
    write_jets(jets, JetFeatures.of_part(clouds, "drawn", "clouds"), {})
    rows = [(metric, feature) for metric in ("kl", "w1") for feature in REQUESTED]
    numbers = pd.DataFrame(rng.uniform(0.1, 1, (len(rows), len(DISTANCE_COLUMNS) - 2)), columns=DISTANCE_COLUMNS[2:])
    pd.concat([pd.DataFrame(rows, columns=DISTANCE_COLUMNS[:2]), numbers], axis=1).to_csv(comparison, index=False)
    return {
        "jets": [{"seed": seed, "path": str(jets)} for seed in SEEDS],
        "comparisons": [{"seed": seed, "path": str(comparison)} for seed in SEEDS],
    }


def _settings() -> dict[str, Any]:
    model = {"kind": "trained", "title": "Flow", "network": {"kind": "epic"}, "training": {"steps": 3}}
    model["objective"] = {"kind": "flow_matching"}
    return {
        "studies": ["jet_generation"],
        "processes": {"top": {"title": "t", "commands": ["a = on", "b = off"], "pt_hat": [1, 2], "events": 5}},
        "datasets": {
            "top": {
                "title": "t",
                "source": {"kind": "simulated", "process": "top"},
                "ingestion": {"clouds": {"kind": "events"}, "max_particles": 17},
            }
        },
        "jet_generation": {
            "datasets": ["top"],
            "seeds": [1, 2],
            "generated": 4,
            "models": {"flow": {**model, "samplers": {"a": {"solver": "euler", "evaluations": 2}}}},
            "log_posterior": {"training": {"steps": 1}, "jets_per_class": 10},
        },
    }
