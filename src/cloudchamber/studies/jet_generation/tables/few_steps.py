"""Table of flow maps against their teachers: whether they are equal, up to the spread of the teacher."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cloudchamber.errors import InputError
from cloudchamber.figures.labels import plain_name
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.numbers import with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.metrics.equivalence import equivalence
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.jet_generation.jet_metrics import JET_METRICS

__all__ = ["few_steps"]

CAPTIONS = {
    "few_steps": (
        "Flow maps against the models that they were distilled from, metric by metric. Both draw the same jets from "
        "the same noise. A flow map is called equal where two one-sided tests at 5 % say that it differs from its "
        "teacher by less than two standard deviations of the difference between two trainings of the teacher. How many "
        "such tests there are stands below the table. The AUC against the teacher, where the scale has it, is that "
        "of a classifier trained to tell the jets of the flow map from those of its teacher, on pairs that it has not "
        "seen; 1/2 is chance."
    ),
}

# What is compared: quantities that are not imposed on the jets. The log posterior has one sampler of each model.
_COMPARED = (("kl", ("jet_mass", "tau21", "tau32", "d2")), ("w1m", ("",)), ("w1efp", ("",)), ("fpd", ("",)))


def few_steps(files: Mapping[str, Any]) -> Table:
    """Return a row per flow map, sampler and metric.

    Args:
        files: "dataset", "title", "models", "metrics" (CSV) and "flow_maps", a list with "name", "teacher" and
            "teacher_sampler", the one of the teacher that spends most evaluations.

    Raises:
        InputError: the table lacks a metric, or a seed of a flow map is none of its teacher.
        SettingsError: a key is missing.
    """
    evaluations = {
        (item.model.name, item.model.sampler): item.value for item in read_measurements(files, "evaluations_per_jet")
    }
    rows, lines = [], []
    for metric, features in _COMPARED:
        measured = read_measurements(files, metric, features, partial=True)
        for pair in entries(files, "flow_maps", ("name", "teacher", "teacher_sampler")):
            of_teacher = (pair["teacher"], pair["teacher_sampler"])
            students = [item for item in measured if item.model.name == pair["name"]]
            if not students:
                raise InputError(f"{need(files, 'metrics')}: no metric '{metric}' of '{pair['name']}'")
            for student in students:
                teacher = _teacher(measured, *of_teacher, student.feature)
                numbers = evaluations[student.model.name, student.model.sampler], evaluations[of_teacher]
                row, line = _compared(metric, student, teacher, numbers)
                rows.append(row)
                lines.append(line)
    for item in read_measurements(files, "teacher_auc", partial=True):
        of_teacher = next(
            (pair["teacher"], pair["teacher_sampler"])
            for pair in entries(files, "flow_maps", ("name", "teacher", "teacher_sampler"))
            if pair["name"] == item.model.name
        )
        numbers = evaluations[item.model.name, item.model.sampler], evaluations[of_teacher]
        row, line = _told_apart(item, of_teacher[0], numbers)
        rows.append(row)
        lines.append(line)
    header = [
        "flow map",
        "evaluations",
        "teacher's",
        "metric",
        "flow map's value",
        "teacher's value",
        "difference",
        "margin",
        "equal",
    ]
    tested = sum("bound" in line for line in lines)
    notes = [
        f"{tested} tests of equality; each errs in at most 5 % of cases where the two differ by more than the margin."
        if tested
        else "One training each: the spread of the teacher, which equality is measured by, is not known.",
        "Difference: mean over seeds with its standard error; for one seed without one.",
        "Margin: twice the standard deviation of the difference between two trainings of the teacher.",
    ]
    return Table(f"{need(files, 'title')}: flow maps and their teachers", header, rows, notes, pd.DataFrame(lines))


def _told_apart(
    item: Measurement, teacher: str, evaluations: tuple[float, float]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the cells of the classifier that tells a flow map from its teacher, and the same with all digits."""
    difference = item.value - item.floor
    line = {
        "model": item.model.name,
        "sampler": item.model.sampler,
        "evaluations": evaluations[0],
        "teacher": teacher,
        "teacher_evaluations": evaluations[1],
        "metric": "teacher_auc",
        "feature": "",
        "value": item.value,
        "teacher_value": item.floor,
        "trainings": len(item.values),
        "difference": difference,
        "error": item.uncertainty,
    }
    values = [with_uncertainty(number, item.uncertainty) for number in (item.value, difference)]
    heads = (item.model.label, f"{evaluations[0]:g}", f"{evaluations[1]:g}", "AUC against the teacher")
    return (*heads, values[0], f"{item.floor:g}", values[1], "", ""), line


def _teacher(measured: Sequence[Measurement], name: str, sampler: str, feature: str) -> Measurement:
    for item in measured:
        if (item.model.name, item.model.sampler, item.feature) == (name, sampler, feature):
            return item
    raise InputError(f"flow_maps: the table has no sampler '{sampler}' of the teacher '{name}'")


def _compared(
    metric: str, student: Measurement, teacher: Measurement, evaluations: tuple[float, float]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Return the cells of a row, and the same with all digits."""
    of_seed = dict(zip((entry["seed"] for entry in teacher.model.entries), teacher.values, strict=True))
    seeds = [entry["seed"] for entry in student.model.entries]
    missing = [seed for seed in seeds if seed not in of_seed]
    if missing:
        raise InputError(f"metrics: seed {missing[0]} of '{student.model.name}' is no seed of '{teacher.model.name}'")
    pairs = np.array(student.values), np.array([of_seed[seed] for seed in seeds])
    name = f"KL of {plain_name(student.feature)}" if student.feature else JET_METRICS[metric].label
    values = [with_uncertainty(item.value, item.uncertainty) for item in (student, teacher)]
    line = {
        "model": student.model.name,
        "sampler": student.model.sampler,
        "evaluations": evaluations[0],
        "teacher": teacher.model.name,
        "teacher_evaluations": evaluations[1],
        "metric": metric,
        "feature": student.feature,
        "value": student.value,
        "teacher_value": float(pairs[1].mean()),
        "trainings": len(seeds),
    }
    if len(seeds) < 2:
        difference = float(pairs[0][0] - pairs[1][0])
        cells = (with_uncertainty(difference, student.uncertainty).partition(" ")[0], "", "")
        line |= {"difference": difference}
    else:
        found = equivalence(*pairs)
        cells = (
            with_uncertainty(found.difference, found.error),
            with_uncertainty(found.margin),
            "yes" if found.equal else "not shown",
        )
        line |= {"difference": found.difference, "error": found.error, "bound": found.bound, "margin": found.margin}
        line |= {"equal": found.equal}
    heads = (student.model.label, f"{evaluations[0]:g}", f"{evaluations[1]:g}", name)
    return (*heads, *values, *cells), line
