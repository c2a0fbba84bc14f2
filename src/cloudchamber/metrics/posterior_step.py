"""The log-posterior step: trains ParticleNet on generated classes and truth, and scores unseen true jets."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from cloudchamber import seeds
from cloudchamber.cloud_file import AnyClouds, open_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.jet_classifier import train_jet_classifier
from cloudchamber.metrics.log_posterior import classifier_inputs, training_set
from cloudchamber.metrics.posterior_scores import ideal_value, log_ratios, negative_log_posteriors, restrict
from cloudchamber.metrics.same_jets import JetContents, say_same_jets
from cloudchamber.metrics.sample_checks import check_sample
from cloudchamber.metrics.tables import write_table
from cloudchamber.metrics.two_sample import area_under_curve, chance
from cloudchamber.metrics.unlike import IN_RANDOM_ORDER, jet_columns, say_unlike
from cloudchamber.preparation.splits import halved
from cloudchamber.settings.metrics import FEWEST_JETS_PER_CLASS, LogPosteriorSettings
from cloudchamber.storage import write_rows

__all__ = ["TRUTH", "log_posterior"]

TRUTH = "truth"
_VALIDATION_FRACTION = 0.15
# With fewer there are not two validation jets, whose spread is an uncertainty.
_COLUMNS = ("model", "metric", "value", "uncertainty", "floor", "floor_uncertainty")


def log_posterior(
    truth: Path,
    classes: Mapping[str, Path],
    settings: LogPosteriorSettings,
    seed: int,
    state: Path,
    output: Path,
    history: Path,
    confusion: Path,
) -> None:
    """Score each class of generated jets by the posterior it gets from unseen true jets.

    The first half of the test part of ``truth`` is the class of truth in the training of the classifier, the second
    half is scored; no model has seen either, and they share no event. Rows of the output: "nlp", with truth among the
    classes, whose floor is the score of truth itself; "nlp_generated_only", the published form without a class of
    truth; "nlp_ideal", ln K of the first form, the score of every class where none can be told from truth; "c2st_auc",
    the area under the ROC curve of the scored true jets against the validation jets of the class in ln p(truth | jet) -
    ln p(class | jet).
    Validation jets count as unseen: the trainer reports their loss and selects nothing by it. Where a class has fewer
    jets than the settings ask for, all classes have as many as that one. A warning says where jets of a class are jets
    of another: each has half of their posterior.

    Raises:
        InputError: a file cannot be used, a class is of a model of other jets, or a class has fewer than ten jets.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    if TRUTH in classes:
        raise InputError(f"a model may not be called '{TRUTH}'")
    with ExitStack() as files:
        true = files.enter_context(open_clouds(truth))
        test = true.part("test")
        trained_on, unseen = halved(test)
        clouds: dict[str, AnyClouds] = {}
        of_test, contents = JetContents.of(test), {}
        for name, path in classes.items():
            sample = files.enter_context(open_clouds(path))
            contents[name] = check_sample("log-posterior", path, sample, truth, true, of_test)
            clouds[name] = sample.all
        _say_copies(contents)
        clouds[TRUTH] = test.select(trained_on)
        halves = jet_columns(clouds[TRUTH]), jet_columns(test.select(unseen))
        half = "the half of the test part that trains the classifier"
        say_unlike("log-posterior", half, halves[0], "the one that is scored", halves[1], IN_RANDOM_ORDER)
        rng = seeds.generator(seed, "log_posterior")
        n_training = _jets_per_class(clouds, settings.jets_per_class)
        data = training_set(clouds, n_training, _VALIDATION_FRACTION, rng)
    # Their order is that of the outputs of the network.
    order = {"classes": list(classes)}
    sources = {**classes, TRUTH: truth}
    entry = "metrics.posterior_step:log_posterior"
    classifier = train_jet_classifier(data, settings, seed, state, sources, entry, order)
    if classifier is None:
        return
    with open_clouds(truth) as file:
        scored = [
            (positions, classifier.log_probabilities(classifier_inputs(jets, data.standardisation)))
            for positions, jets in file.part("test").select(unseen).pieces()
        ]
    positions, values = (np.concatenate(arrays) for arrays in zip(*scored, strict=True))
    of_truth = values[np.argsort(positions, kind="stable")]
    of_validation = classifier.log_probabilities(data.inputs[data.validation])
    target = data.target[data.validation].numpy()
    of_classes = {name: of_validation[target == position] for position, name in enumerate(data.classes)}
    write_table(output, pd.concat([_scores(of_truth, data.classes, n_training), _two_sample(of_truth, of_classes)]))
    write_table(confusion, _confusion(of_classes))
    write_rows(history, classifier.history)


def _say_copies(classes: Mapping[str, JetContents]) -> None:
    """Say which classes have jets of another, as one sample under two names."""
    for (first, others), (name, jets) in combinations(classes.items(), 2):
        consequence = ": such classes share the posterior of one"
        say_same_jets("log-posterior", f"class '{name}'", jets, f"class '{first}'", others, consequence)


def _jets_per_class(classes: Mapping[str, AnyClouds], asked: int) -> int:
    """Return how many jets all classes have, at most as many as asked for."""
    fewest = min(classes, key=lambda name: len(classes[name]))
    there = len(classes[fewest])
    if there < FEWEST_JETS_PER_CLASS:
        raise InputError(
            f"log posterior: class '{fewest}' has {there} jets, {FEWEST_JETS_PER_CLASS} or more are needed"
        )
    if there < asked:
        half = " (half of the test part)" if fewest == TRUTH else ""
        sys.stderr.write(f"log-posterior: {there} jets of each class and not {asked}: as many has '{fewest}'{half}\n")
    return min(there, asked)


def _scores(of_truth: np.ndarray, classes: Sequence[str], n_training: int) -> pd.DataFrame:
    """Return the scores of all classes; ``of_truth`` is (N, K) log probabilities of true jets."""
    generated = [position for position, name in enumerate(classes) if name != TRUTH]
    whole = negative_log_posteriors(of_truth)
    published = negative_log_posteriors(restrict(of_truth, generated))
    floor = whole[classes.index(TRUTH)]
    rows = []
    for place, position in enumerate(generated):
        model = classes[position]
        rows += [
            (model, "nlp", *whole[position], *floor),
            (model, "nlp_generated_only", *published[place], ideal_value(len(generated)), 0.0),
            (model, "nlp_ideal", ideal_value(len(classes)), 0.0, np.nan, np.nan),
        ]
    return pd.DataFrame(rows, columns=list(_COLUMNS)).assign(n_reference=len(of_truth), n_generated=n_training)


def _two_sample(of_truth: np.ndarray, of_classes: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return how well truth is told from each class, by log probabilities of unseen jets of truth and the classes."""
    rows, n_generated = [], []
    for position, (model, of_model) in enumerate(of_classes.items()):
        if model != TRUTH:
            scores = (log_ratios(values, list(of_classes).index(TRUTH), position) for values in (of_truth, of_model))
            rows.append((model, "c2st_auc", *area_under_curve(*scores), *chance(len(of_truth), len(of_model))))
            n_generated.append(len(of_model))
    return pd.DataFrame(rows, columns=list(_COLUMNS)).assign(n_reference=len(of_truth), n_generated=n_generated)


def _confusion(of_classes: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the mean posterior of each class over the validation jets of each true class."""
    means = [np.exp(log_probabilities).mean(axis=0) for log_probabilities in of_classes.values()]
    index = pd.Index(list(of_classes), name="class")
    return pd.DataFrame(means, columns=list(of_classes), index=index).reset_index()
