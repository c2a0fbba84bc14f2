"""Tables of how near to truth the models are."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cloudchamber.figures.cells import (
    FLOOR,
    FLOOR_NOTE,
    IMPOSED_NOTE,
    UNCERTAINTY,
    all_digits,
    cell,
    floor_cell,
    scaled_unit,
    seeds_note,
)
from cloudchamber.figures.inputs import distinct
from cloudchamber.figures.labels import plain_name, unit
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import scale_exponent
from cloudchamber.figures.rendering import Table
from cloudchamber.figures.sample_sizes import sizes, sizes_of
from cloudchamber.jets.features import COMPARED_FEATURES
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.metrics.posterior_scores import ideal_value
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.jet_metrics import JET_METRICS, read_jet_metrics

__all__ = ["divergences", "jet_metrics", "log_posterior", "wasserstein"]

CAPTIONS = {
    "divergences": (
        "KL(generated || truth) in nats of each feature, from probabilities in bins that are equally probable "
        "in truth. Uncertainties are standard deviations over resamplings of the true and the generated jets. "
        "The last line is the floor: the same number for independent true jets in place of the generated "
        "ones. Sample sizes stand below the table."
    ),
    "wasserstein": (
        "Wasserstein-1 distance between generated and true jets in each feature, in its unit. Uncertainties "
        "are standard deviations over resamplings of the true and the generated jets. The last line is the "
        "floor: the same distance for independent true jets in place of the generated ones. Sample sizes "
        "stand below the table."
    ),
    "log_posterior": (
        "Negative log posterior of each model over unseen true jets, with truth among the classes and in the "
        "published form without it. The last lines are the score of truth itself and ln K, the score of K "
        "classes that none can tell apart. Uncertainties are standard errors of the mean over the scored "
        "jets."
    ),
    "jet_metrics": (
        "Metrics of jets as wholes, with their uncertainties and, in brackets, the standard deviation over "
        "seeds where there are several. The last line is the floor: the same metric of independent true jets "
        "in place of the generated ones."
    ),
}

_Files = Mapping[str, Any]
_OWN_UNCERTAINTY = "± is the uncertainty of one value, from resamplings or batches of jets as each metric is defined."
_OWN_FLOOR = "The floor is the same metric of independent true jets in place of the generated ones."


def divergences(files: _Files) -> Table:
    title = f"{need(files, 'title')}: {KL_DIRECTION} [nat]"
    return _distances(read_measurements(files, "kl", COMPARED_FEATURES), title, units=False)


def wasserstein(files: _Files) -> Table:
    title = f"{need(files, 'title')}: Wasserstein-1 distance to truth"
    return _distances(read_measurements(files, "w1", COMPARED_FEATURES), title, units=True)


def _distances(measurements: Sequence[Measurement], title: str, units: bool) -> Table:
    labels = list(dict.fromkeys(item.model.label for item in measurements))
    header, columns = ["model"], []
    for feature in COMPARED_FEATURES:
        of_feature = [item for item in measurements if item.feature == feature]
        exponent = scale_exponent([item.value for item in of_feature])
        scale = 10.0**-exponent
        header.append(plain_name(feature) + scaled_unit(exponent, unit(feature) if units else ""))
        columns.append([*(cell(item, scale) for item in of_feature), floor_cell(of_feature, scale)])
    rows = list(zip([*labels, FLOOR], *columns, strict=True))
    imposed = [IMPOSED_NOTE] if any(item.imposed for item in measurements) else []
    notes = [f"{sizes(measurements)}.", UNCERTAINTY, FLOOR_NOTE, *imposed, *seeds_note(measurements)]
    return Table(title, header, rows[:-1], notes, all_digits(measurements), rows[-1:])


def log_posterior(files: _Files) -> Table:
    with_truth, published = (read_measurements(files, metric) for metric in ("nlp", "nlp_generated_only"))
    n = len(with_truth)
    rows = [(a.model.label, cell(a), cell(b)) for a, b in zip(with_truth, published, strict=True)]
    references = [
        ("truth itself", floor_cell(with_truth), ""),
        ("ideal, ln K", f"{ideal_value(n + 1):.3f}", f"{ideal_value(n):.3f}"),
    ]
    notes = [
        f"Mean of -ln p(model | jet) over {int(with_truth[0].n_reference):,} true jets that nothing was trained on.",
        f"The classifier was trained with {int(with_truth[0].n_generated):,} jets of each class, validation included.",
        "The lower, the more truth looks like the model; the scores depend on which models compete.",
        "± is the standard error of the mean. ln K is the score of each of K classes that none can tell apart.",
        *seeds_note(with_truth),
    ]
    data = pd.concat([all_digits(with_truth, "nlp"), all_digits(published, "nlp_generated_only")], ignore_index=True)
    header = ["model", "classes: models and truth [nat]", "classes: models only [nat]"]
    return Table(f"{need(files, 'title')}: negative log posterior", header, rows, notes, data, references)


def jet_metrics(files: Mapping[str, Any]) -> Table:
    """Return the metrics of whole jets, a row per model and sampler."""
    found = read_jet_metrics(files)
    everything = [item for measurements in found.values() for item in measurements]
    models = distinct([item.model for item in everything])
    header, columns = ["model"], []
    for name, measurements in found.items():
        exponent = scale_exponent([item.value for item in measurements])
        scale = 10.0**-exponent
        header.append(f"{JET_METRICS[name].label}{scaled_unit(exponent)}, {JET_METRICS[name].better} is better")
        of_model = {(item.model.name, item.model.sampler): cell(item, scale) for item in measurements}
        columns.append(
            [*(of_model.get((model.name, model.sampler), "") for model in models), floor_cell(measurements, scale)]
        )
    rows = list(zip([*(model.label for model in models), FLOOR], *columns, strict=True))
    notes = [f"{sizes_of(everything)}.", _OWN_UNCERTAINTY, _OWN_FLOOR, *seeds_note(everything)]
    data = pd.concat([all_digits(measurements, name) for name, measurements in found.items()], ignore_index=True)
    return Table(f"{need(files, 'title')}: metrics of jets", header, rows[:-1], notes, data, rows[-1:])
