"""What taggers are judged by: the test jets, and the probabilities that a tagger gives to their classes."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observable_file import read_observables, refuse_other_source

__all__ = ["JETS_PER_CLASS", "UnseenJets", "read_scores", "read_unseen_jets"]

# What scores say of the training of their tagger: its jets of each class, or null for all; other programs say nothing.
JETS_PER_CLASS = "jets_per_class"
_NORMALISATION = 1e-3


@final
@dataclass(frozen=True)
class UnseenJets:
    """The jets of the test part, which no tagger was trained with.

    Attributes:
        rows: (N,) int64, positions in the file of jets.
        target: (N,) int64, position of the true class in ``classes``.
        weights: (N,) float64.
        mass, pt: (N,) [GeV].
        mass_window, pt_window: limits of both [GeV].
        classes, titles: K names, and what to call them.
        n_training: jets of the training part.
    """

    rows: np.ndarray
    target: np.ndarray
    weights: np.ndarray
    mass: np.ndarray
    pt: np.ndarray
    mass_window: tuple[float, float]
    pt_window: tuple[float, float]
    classes: tuple[str, ...]
    titles: tuple[str, ...]
    n_training: int


def read_unseen_jets(path: Path) -> UnseenJets:
    """Return the test jets of a file of :func:`cloudchamber.classification.jets.combine_classes`.

    Raises:
        InputError: the file cannot be used, or is not such a file.
    """
    clouds = read_clouds(path, weighted=True)
    try:
        test = clouds.part("test")
        classes, windows = clouds.meta["classes"], clouds.meta["windows"]
        return UnseenJets(
            rows=clouds.indices["test"],
            target=test.label("class"),
            weights=test.feature("weight").astype(np.float64),
            mass=test.feature("jet_mass").astype(np.float64),
            pt=test.feature("jet_pt").astype(np.float64),
            mass_window=tuple(windows["jet_mass"]),
            pt_window=tuple(windows["jet_pt"]),
            classes=tuple(item["name"] for item in classes),
            titles=tuple(item["title"] for item in classes),
            n_training=len(clouds.indices["train"]),
        )
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except KeyError as error:
        raise InputError(
            f"{path}: no {error} in the meta data or indices; not a file of jets of several classes"
        ) from error


def read_scores(
    path: Path, jets: UnseenJets, made_from: Path | None = None, jets_per_class: int | None = None
) -> np.ndarray:
    """Return the log probabilities of the classes, (N, K) in the order of the test jets.

    Args:
        path: observables ``row`` (position in the file of jets) and ``log_p_<class>`` of all jets of the test part.
        jets: the test jets.
        made_from: the file of the jets; None where their rows are enough.
        jets_per_class: training jets of each class that the tagger is said to have had; None for all.

    Raises:
        InputError: the file cannot be used, is of other jets or classes or of a tagger with another number of training
            jets, or its probabilities do not add up to one.
    """
    table, meta = read_observables(path)
    if made_from is not None:
        refuse_other_source(path, meta, made_from, "jets")
    if meta.get(JETS_PER_CLASS, jets_per_class) != jets_per_class:
        had, said = (
            f"'jets_per_class' {size}" if size is not None else "all jets"
            for size in (meta[JETS_PER_CLASS], jets_per_class)
        )
        raise InputError(f"{path}: its tagger was trained with {had}, here it stands for one with {said}")
    names = [f"log_p_{name}" for name in jets.classes]
    missing = [name for name in ("row", *names) if name not in table]
    if missing:
        raise InputError(f"{path}: no observable '{missing[0]}' among {sorted(table)}")
    rows = table["row"].astype(np.int64)
    order, wanted = np.argsort(rows, kind="stable"), np.argsort(jets.rows, kind="stable")
    if not np.array_equal(rows[order], jets.rows[wanted]):
        raise InputError(f"{path}: its {len(rows)} jets are not the {len(jets.rows)} jets of the test part")
    scores = np.empty((len(rows), len(names)))
    scores[wanted] = np.column_stack([table[name] for name in names])[order]
    total = np.exp(scores).sum(axis=1)
    if not (np.abs(total - 1) < _NORMALISATION).all():
        raise InputError(f"{path}: the probabilities of some jets do not add up to one")
    return scores
