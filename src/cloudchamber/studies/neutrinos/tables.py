"""Tables of the neutrino study: classifiers beside floor and ceiling, prongs by class, differences from no context."""

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

from cloudchamber.figures.labels import told_apart
from cloudchamber.figures.numbers import percent, places_of
from cloudchamber.figures.rendering import Table
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.names import CEILING, PRONGS
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading, read_metrics, value_of

__all__ = ["classifiers", "differences", "prongs"]

CAPTIONS = {
    "classifiers": (
        "Accuracy of interactions, mean area under the three curves of one interaction against the others, accuracy of "
        "prongs and expected calibration error of interactions, of each classifier on the same test events. The "
        "ceiling is a classifier of the true visible prongs that does not know electrons from photons. All is a "
        "stand-in and not NOvA."
    ),
    "prongs": (
        "Share of the prongs of each true class that are given it. The ceiling knows the class but for electrons and "
        "photons, which have one name there. All is a stand-in and not NOvA."
    ),
    "differences": (
        "Each classifier less the one without context, on the same events, mean over the seeds of both; with the "
        "uncertainty from the events and from the seeds. All is a stand-in and not NOvA."
    ),
}

_METRICS = {
    ("accuracy", ""): "interactions [%]",
    ("auc", ""): "area under the curves",
    ("prong_accuracy", ""): "prongs [%]",
    ("calibration_error", "event"): "calibration error [%]",
}
_DIFFERENCE = ("model", "other", "metric", "feature", "difference", "uncertainty", "of_events", "of_seeds", "seeds")
_NOTE = "± is from the number of test events. In brackets is the standard deviation over trainings."
_CLASSES = {"pion": "charged pion", **{name: name for name in PRONGS if name != "pion"}}


def classifiers(files: Mapping[str, Any]) -> Table:
    """Return the metrics that matter, a row for each classifier.

    Args:
        files: "title", "source", "models" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    rows: list[tuple[str, ...]] = []
    references: list[Sequence[str]] = []
    floors = ["floor"]
    for item in classifiers_of(files, table):
        found = {key: value_of(table, item.name, key[0], feature=key[1]) for key in _METRICS}
        cells = [_cell(key[0], value) for key, value in found.items()]
        (references if item.name == CEILING else rows).append((item.label, *cells))
        if item.name == CEILING:
            floors += [_floor(key[0], value) for key, value in found.items()]
    references.append((floors + [""] * len(_METRICS))[: len(_METRICS) + 1])
    n = int(table.loc[table["metric"] == "accuracy", "n_reference"].max())
    notes = [heading(files), f"{n:,} test events. {_NOTE}", "The floor is a guess, and probabilities that are true."]
    return Table(
        f"{need(files, 'title')}: classifiers", ["classifier", *_METRICS.values()], rows, notes, table, references
    )


def _cell(metric: str, value: SeedValue | None) -> str:
    if value is None:
        return ""
    scale, least = (1, 3) if metric == "auc" else (100, 1)
    places = places_of(scale * value.uncertainty, least)
    text = f"{scale * value.value:.{places}f} ± {scale * value.uncertainty:.{places}f}"
    if isnan(value.spread):
        return text
    return f"{text} ({scale * value.spread:.{places_of(scale * value.spread, places)}f})"


def _floor(metric: str, value: SeedValue | None) -> str:
    if value is None or isnan(value.floor):
        return ""
    return f"{value.floor:.3f}" if metric == "auc" else f"{100 * value.floor:.1f}"


def prongs(files: Mapping[str, Any]) -> Table:
    """Return the accuracy of prongs by class; arguments and errors as above."""
    table = read_metrics(files)
    rows: list[tuple[str, ...]] = []
    references: list[tuple[str, ...]] = []
    for item in classifiers_of(files, table):
        found = [value_of(table, item.name, "prong_accuracy", feature=name) for name in ("", *PRONGS)]
        if found[0] is not None:
            cells = [_cell("prong_accuracy", value) for value in found]
            (references if item.name == CEILING else rows).append((item.label, *cells))
    of_prongs = table[(table["metric"] == "prong_accuracy") & (table["dataset"] == "all")]
    numbers = of_prongs.groupby("feature")["n_reference"].max()
    references.append(
        ("test prongs", *(f"{int(numbers[name]):,}" if name in numbers else "0" for name in ("", *PRONGS)))
    )
    header = ["classifier", "all [%]", *(f"{_CLASSES[name]} [%]" for name in PRONGS)]
    return Table(f"{need(files, 'title')}: prongs", header, rows, [heading(files), _NOTE], table, references)


def differences(files: Mapping[str, Any]) -> Table:
    """Return each classifier less the one without context.

    Args:
        files: "title", "source", "models" and "differences".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    data = read_table(need(files, "differences"), _DIFFERENCE).fillna({"feature": ""})
    labels = told_apart({entry["name"]: entry["title"] for entry in need(files, "models")})
    rows = []
    for line in data.to_dict("records"):
        what = "interactions" if line["metric"] == "accuracy" else _prongs_in_words(line["feature"])
        size = percent(line["difference"], line["uncertainty"], "+")
        of_seeds = "" if isnan(line["of_seeds"]) else f"{100 * line['of_seeds']:.1f}"
        rows.append(
            (
                labels.get(line["model"], line["model"]),
                labels.get(line["other"], line["other"]),
                what,
                size,
                f"{100 * line['of_events']:.1f}",
                of_seeds,
                f"{line['seeds']:.0f}",
            )
        )
    header = ["classifier", "less", "accuracy of", "difference [%]", "of events", "of seeds", "seeds"]
    notes = [heading(files), "Both see the same events. With one seed what another training changes is not known."]
    return Table(f"{need(files, 'title')}: what context adds", header, rows, notes, data)


def _prongs_in_words(feature: str) -> str:
    return f"prongs: {_CLASSES[feature]}" if feature else "prongs"
