"""Files of a small tagging study, made up, for tests of its steps, figures and tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.classification.evaluate import COSTS, evaluate
from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.settings.data import SplitSettings
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingEvaluationSettings, TaggingJetsSettings

__all__ = [
    "MASS",
    "PT",
    "TABLES",
    "class_settings",
    "ingested_jets",
    "scores_of",
    "tagging_study",
    "write_costs",
    "write_scores",
]

PT, MASS = (1000.0, 1200.0), (300.0, 700.0)
# What the evaluation of taggers writes.
TABLES = ("metrics", "confusion", "curves", "significance")


def ingested_jets(rng: np.random.Generator, n: int, classes: int | None = None, width: int = 12) -> Clouds:
    """Return jets in absolute coordinates, two per event, whose masses fall; some lie outside of the windows."""
    mask = np.arange(width) < rng.integers(2, width + 1, n)[:, None]
    jet_pt, jet_eta = rng.uniform(980, 1220, n), rng.uniform(-2.2, 2.2, n)
    jet_phi, jet_mass = rng.uniform(-np.pi, np.pi, n), 280 + rng.exponential(150, n)
    share = np.where(mask, rng.exponential(size=(n, width)), 0.0)
    share = -np.sort(-share, axis=1) / share.sum(axis=1, keepdims=True)
    angles = rng.normal(0, 0.4, (2, n, width))
    eta, phi = jet_eta[:, None] + angles[0], (jet_phi[:, None] + angles[1] + np.pi) % (2 * np.pi) - np.pi
    points = np.where(mask[:, :, None], np.stack([share * jet_pt[:, None], eta, phi], axis=2), 0.0)
    labels = [np.zeros(n), np.arange(n) // 2, np.arange(n) % 2]
    names = ["file", "event", "jet"]
    if classes is not None:
        labels.append(rng.integers(classes, size=n))
        names.append("class")
    return Clouds(
        points=points.astype("f4"),
        mask=mask,
        features=np.stack([jet_pt, jet_eta, jet_phi, jet_mass, mask.sum(axis=1)], axis=1).astype("f4"),
        labels=np.stack(labels, axis=1).astype("i8"),
        point_columns=(Column("pt", "GeV"), Column("eta"), Column("phi", "rad")),
        feature_columns=(
            Column("jet_pt", "GeV"),
            Column("jet_eta"),
            Column("jet_phi", "rad"),
            Column("jet_mass", "GeV"),
            Column("n_constituents"),
        ),
        label_columns=tuple(Column(name) for name in names),
    )


def class_settings(folder: Path, rng: np.random.Generator, names: Sequence[str], n: int, **more: Any) -> Any:
    """Write a file of jets for each class and return the settings that combine them."""
    classes = []
    for name in names:
        write_clouds(folder / f"{name}.h5", ingested_jets(rng, n))
        classes.append(JetClassSettings(name=name, title=f"N = {name}", file=str(folder / f"{name}.h5")))
    split = SplitSettings(train=0.5, validation=0.1)
    windows = {"pt_window": PT, "mass_window": MASS, "eta_max": 2.0, "flat": True}
    return TaggingJetsSettings(classes=tuple(classes), **{"max_particles": 15, "split": split, **windows, **more})


def scores_of(rng: np.random.Generator, target: np.ndarray, classes: int, strength: float) -> np.ndarray:
    """Return log probabilities that are calibrated: of noise around the true class with that strength."""
    logits = strength * (rng.normal(size=(len(target), classes)) + strength * np.eye(classes)[target])
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def write_scores(path: Path, rows: np.ndarray, scores: np.ndarray, classes: Sequence[str]) -> str:
    table = {"row": rows} | {f"log_p_{name}": column for name, column in zip(classes, scores.T, strict=True)}
    write_observables(path, table, {})
    return str(path)


def write_costs(path: Path, models: Sequence[str]) -> str:
    table = pd.DataFrame({"model": models} | {cost: np.geomspace(10, 1000, len(models)) for cost in COSTS})
    table.to_csv(path, index=False)
    return str(path)


def tagging_study(folder: Path, names: Sequence[str], models: Mapping[str, float], jets: int) -> dict[str, Any]:
    """Make jets, scores and tables of a study, and return what its figures and tables are made from.

    Args:
        folder: where the files go.
        names: of the classes.
        models: name -> strength of its scores.
        jets: per class, before the windows.
    """
    rng = np.random.default_rng(11)
    settings = class_settings(folder, rng, names, jets)
    combine_classes(settings, 1, folder / "jets.h5")
    clouds = read_clouds(folder / "jets.h5")
    rows, target = clouds.indices["test"], clouds.label("class")[clouds.indices["test"]]
    scores: list[dict[str, Any]] = []
    for name, strength in models.items():
        for seed in (1, 2, 3):
            for jets_per_class in (None, 10, 40):
                known = strength * (rng.normal(1, 0.03) if jets_per_class is None else jets_per_class / 60)
                path = write_scores(
                    folder / f"{name}{seed}_{jets_per_class}.h5", rows, scores_of(rng, target, len(names), known), names
                )
                part = {} if jets_per_class is None else {"jets_per_class": jets_per_class}
                scores.append({"name": name, "title": name.upper(), "seed": seed, "path": path, **part})
    files = {"study": "tagging", "dataset": "jets", "scores": scores}
    files["costs"] = write_costs(folder / "costs.csv", list(models))
    outputs = {name: folder / f"{name}.csv" for name in TABLES}
    evaluate(folder / "jets.h5", files, TaggingEvaluationSettings(bootstraps=20), 1, **outputs)
    return {
        "study": "tagging",
        "dataset": "jets",
        "flat": settings.flat,
        "title": "Some jets",
        "classes": [{"name": item.name, "title": item.title} for item in settings.classes],
        "models": [entry for entry in scores if "jets_per_class" not in entry],
        **{name: str(path) for name, path in outputs.items()},
    }
