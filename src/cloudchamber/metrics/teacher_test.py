"""The teacher test: can a classifier tell the jets of a flow map from those of its teacher?"""

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.jet_classifier import JetClassifier, train_jet_classifier
from cloudchamber.metrics.log_posterior import TrainingSet, training_set
from cloudchamber.metrics.posterior_scores import log_ratios
from cloudchamber.metrics.tables import DISTANCE_COLUMNS, write_table
from cloudchamber.metrics.two_sample import area_under_curve
from cloudchamber.settings.metrics import TeacherTestSettings
from cloudchamber.storage import write_rows

__all__ = ["teacher_test"]

_TEST_FRACTION = 1 / 3
# With fewer the spread over the test pairs is no uncertainty.
_FEWEST_PAIRS = 20
_CLASSES = ("teacher", "student")


def teacher_test(
    student: Path,
    teacher: Path,
    settings: TeacherTestSettings,
    seed: int,
    state: Path,
    output: Path,
    history: Path,
) -> None:
    """Train ParticleNet to tell a flow map from its teacher and measure it on jets that it has not seen.

    Jet i of both samples comes from the same noise and the same request, so that the two are nearly alike. Both are on
    the same side of the split: a classifier that knew one of a pair would know the other. The one row of the output,
    "teacher_auc", is the area under the ROC curve of the test pairs in ln p(student | jet) - ln p(teacher | jet), with
    the uncertainty of paired samples. A student that equals its teacher has 1/2 (the column ``floor``). Where there are
    fewer jets than the settings ask for, all are used.

    Raises:
        InputError: a file cannot be used, the two do not hold as many jets with the same multiplicities, or there are
            fewer than twenty.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    paths = dict(zip(_CLASSES, (teacher, student), strict=True))
    clouds = {name: read_clouds(path) for name, path in paths.items()}
    _need_pairs(clouds, paths)
    pairs = _pairs(len(clouds["student"]), settings.pairs, student)
    rng = seeds.generator(seed, "teacher_test")
    data = training_set(clouds, pairs, _TEST_FRACTION, rng, paired=True)
    classifier = train_jet_classifier(data, settings, seed, state, paths, "metrics.teacher_test:teacher_test", {})
    if classifier is None:
        return
    write_table(output, _row(data, classifier))
    write_rows(history, classifier.history)


def _need_pairs(clouds: Mapping[str, Clouds], paths: Mapping[str, Path]) -> None:
    """Refuse samples whose jets are not asked for alike."""
    masks = [of.mask for of in clouds.values()]
    if masks[0].shape != masks[1].shape or not np.array_equal(masks[0].sum(axis=1), masks[1].sum(axis=1)):
        raise InputError(f"{paths['student']}: not the jets of {paths['teacher']}: their numbers of particles differ")
    # Where all jets have as many particles, only what was asked for tells two draws apart.
    asked = [of.features for of in clouds.values()]
    if asked[0].shape != asked[1].shape or not np.array_equal(asked[0], asked[1]):
        raise InputError(f"{paths['student']}: not the jets of {paths['teacher']}: what was asked for differs")


def _pairs(there: int, asked: int, student: Path) -> int:
    """Return how many pairs there are, at most as many as asked for."""
    if there < _FEWEST_PAIRS:
        raise InputError(f"{student}: {there} jets, {_FEWEST_PAIRS} or more are needed")
    if there < asked:
        sys.stderr.write(f"teacher-test: {there} pairs and not {asked}: as many jets has {student}\n")
    return min(there, asked)


def _row(data: TrainingSet, classifier: JetClassifier) -> pd.DataFrame:
    """Return the measurement.

    Each class is scored on its own: the two jets of a pair then have the same place in their batch, and equal jets
    equal scores to the bit.
    """
    target = data.target[data.validation]
    teacher, student = (
        log_ratios(classifier.log_probabilities(data.inputs[data.validation[target == position]]), 1, 0)
        for position in range(len(_CLASSES))
    )
    area = area_under_curve(student, teacher, paired=True)
    number = len(student)
    return pd.DataFrame([("teacher_auc", "", *area, 0.5, 0.0, number, number)], columns=list(DISTANCE_COLUMNS))
