"""Tables of the assignment study: efficiencies as on the slides, significance, cost."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import pandas as pd

from cloudchamber.figures.numbers import percent, places_of, with_uncertainty
from cloudchamber.figures.rendering import Table
from cloudchamber.figures.seed_value import SeedValue
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.methods import BINS, PUBLISHED
from cloudchamber.studies.assignment.reading import Method, methods_of, origin_of, read_metrics, samples_of, value_of

__all__ = ["cost", "efficiencies", "significance"]

CAPTIONS = {
    "efficiencies": (
        "Event efficiency, efficiency of tops and event purity in percent by the number of jets. The last column has "
        "the numbers of the slides (Baldi; arXiv 2010.09206, version 5), which are of another sample: event efficiency "
        "/ eps_2^top / eps_1^top. The last of the three is known not to agree with what its definition gives on the "
        "events that come with SPANet."
    ),
    "significance": (
        "Difference of the event efficiency of each network from each chi-square with b-tags, on the same events, and "
        "that difference in standard deviations."
    ),
    "cost": (
        "Time of an event with each method. A network counts with the search for the best assignment. Batches are of "
        "the first test events: that of one is of a single event, whose number of jets decides. The 369 ms of the "
        "chi-square on the slides is that of a slow program; this one is compiled."
    ),
}

_METRICS = {
    "event_efficiency": "event efficiency [%]",
    "eps_2_top": "ε₂ top [%]",
    "eps_1_top": "ε₁ top [%]",
    "event_purity": "event purity [%]",
}
_SIGNIFICANCE = (
    "dataset", "model", "trained_on", "other", "feature", "difference", "uncertainty", "standard_deviations", "seeds",
)  # fmt: skip
_COST = ("model", "parameters", "batch_size", "seconds_per_event", "lowest", "highest", "device", "clock", "threads")


def efficiencies(files: Mapping[str, Any]) -> Table:
    """Return the efficiencies of every method, a row for each sample, method and number of jets.

    Args:
        files: "title", "models", "samples" and "metrics".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    rows, references = [], []
    for sample, title in samples_of(files).items():
        of_sample = table[table["dataset"] == sample]
        for method in methods_of(files, of_sample[of_sample["metric"] == "event_efficiency"], every=True):
            for name in BINS:
                values = {
                    metric: value_of(of_sample[of_sample["metric"] == metric], method, feature=name)
                    for metric in _METRICS
                }
                complete = values["event_efficiency"]
                if complete is None:
                    continue
                cells = [_percent(value) for value in values.values()]
                rows.append((title, method.label, name, f"{complete.n:,}", *cells, _published(method, name)))
        for name in BINS:
            there = of_sample[(of_sample["metric"] == "identifiable_both") & (of_sample["feature"] == name)]
            if len(there):
                note = percent(float(there["value"].iloc[0]), float(there["uncertainty"].iloc[0]))
                references.append((title, "ceiling: jets of both tops are there", name, "", "", "", "", note, ""))
    header = ["sample", "method", "jets", "events with both tops", *_METRICS.values()]
    header += ["slides: event / ε₂ / ε₁ [%], another sample"]
    notes = [
        f"Own events are {origin_of(files)}.",
        "± is the standard error from the number of events. In brackets is the standard deviation over trainings.",
        "The number of jets counts all stored ones.",
        "The ceiling is of all events of a sample, methods are of its test events.",
    ]
    return Table(f"{need(files, 'title')}: efficiencies", header, rows, notes, table, references)


def _percent(value: SeedValue | None) -> str:
    if value is None:
        return ""
    text, spread = percent(value.value, value.uncertainty), 100 * value.spread
    return text if isnan(spread) else f"{text} ({spread:.{places_of(spread, 1)}f})"


def _published(method: Method, name: str) -> str:
    numbers = PUBLISHED.get("network" if method.trained_on else method.name, {}).get(name)
    return "" if numbers is None else " / ".join(f"{100 * number:.1f}" for number in numbers)


def significance(files: Mapping[str, Any]) -> Table:
    """Return how far each network is from each chi-square with b-tags; arguments and errors as above."""
    data = read_table(need(files, "significance"), _SIGNIFICANCE).fillna({"trained_on": ""})
    samples = samples_of(files)
    networks = {(item.name, item.trained_on): item.label for item in methods_of(files, data)}
    others = {
        item.name: item.label
        for item in methods_of(files, data.rename(columns={"other": "model", "model": "network"}).assign(trained_on=""))
        if not item.trained_on
    }
    rows = [
        (
            samples[line["dataset"]],
            networks[line["model"], line["trained_on"]],
            others[line["other"]],
            line["feature"],
            percent(line["difference"], line["uncertainty"], "+"),
            "" if pd.isna(line["standard_deviations"]) else f"{line['standard_deviations']:+.1f}",
            f"{line['seeds']:.0f}",
        )
        for line in data.to_dict("records")
        if (line["model"], line["trained_on"]) in networks and line["dataset"] in samples
    ]
    header = ["sample", "network", "chi-square", "jets", "difference of event efficiencies [%]", "standard deviations"]
    header += ["trainings"]
    notes = [
        f"Own events are {origin_of(files)}.",
        "Both methods assign the same events. ± holds the number of events and the spread over trainings.",
    ]
    return Table(f"{need(files, 'title')}: network less chi-square", header, rows, notes, data)


def cost(files: Mapping[str, Any]) -> Table:
    """Return the time of an event with each method.

    Args:
        files: "title", "models", "samples" and "cost".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    data = read_table(need(files, "cost"), _COST)
    named = data.assign(trained_on=["own" if not pd.isna(number) else "" for number in data["parameters"]])
    labels = {item.name: item.label for item in methods_of(files, named, every=True)}
    sizes = sorted(set(data["batch_size"]))
    rows = []
    for name, label in labels.items():
        of_method = data[data["model"] == name].set_index("batch_size")
        number = of_method["parameters"].iloc[0]
        cells = [_microseconds(of_method.loc[size]) for size in sizes]
        rows.append((label, "" if pd.isna(number) else f"{int(number):,}", *cells))
    header = ["method", "parameters", *(f"batches of {size}: µs per event" for size in sizes)]
    first = data.iloc[0]
    machine = f"{first['clock']} time on {first['device']}, threads: {int(first['threads'])}"
    notes = [
        f"{machine}; the median of the rounds and their range.",
        "A chi-square is called with the events of a batch at once. Networks count with their decoding.",
    ]
    return Table(f"{need(files, 'title')}: time of an event", header, rows, notes, data)


def _microseconds(line: pd.Series) -> str:
    middle, low, high = (
        with_uncertainty(1e6 * float(line[name])) for name in ("seconds_per_event", "lowest", "highest")
    )
    return f"{middle} ({low} to {high})"
