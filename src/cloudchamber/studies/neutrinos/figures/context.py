"""What it adds to see event and prongs together: each network less the one without context."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.figures.dots import name_rows
from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.neutrinos.figures.panels import handles, style
from cloudchamber.studies.neutrinos.names import CEILING, HISTOGRAM, PRONGS
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading

__all__ = ["draw_context"]

CAPTIONS = {
    "context": (
        "Accuracy of each network less that of the network without context, which sees every map alone, on the same "
        "test events: of interactions, of all prongs, and of the prongs of each particle. Points are means over the "
        "trainings that both have. Error bars are from the test events and, with several trainings, from their spread. "
        "All is a stand-in, Pythia 8 on free protons in a toy detector, and not NOvA."
    ),
}

_COLUMNS = ("model", "other", "metric", "feature", "difference", "uncertainty")


def draw_context(files: Mapping[str, Any]) -> Figure:
    """Draw a row for interactions and for each class of prongs.

    Args:
        files: "title", "source", "models" and "differences".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "differences"), _COLUMNS).fillna({"feature": ""})
    found = [item for item in classifiers_of(files, table) if item.name not in (CEILING, HISTOGRAM)]
    rows = [("accuracy", "", "interactions"), ("prong_accuracy", "", "all prongs")]
    rows += [("prong_accuracy", name, f"prongs: {symbol}") for name, symbol in PRONGS.items()]
    figure = Figure(figsize=(8.0, 5.4), layout="constrained")
    axis = figure.subplots()
    for number, item in enumerate(found):
        shift = 0.7 * ((number + 0.5) / len(found) - 0.5)
        of_model = table[table["model"] == item.name].set_index(["metric", "feature"])
        for row, (metric, feature, _) in enumerate(rows):
            if (metric, feature) in of_model.index:
                line = of_model.loc[(metric, feature)]
                error = 100 * np.nan_to_num(float(line["uncertainty"]))
                axis.errorbar(100 * float(line["difference"]), row + shift, xerr=error, **style(item, line=False))
    axis.axvline(0, color="black", linewidth=0.8)
    name_rows(axis, [label for *_, label in rows])
    titles = {entry["name"]: entry["title"] for entry in entries(files, "models", ("name", "title"))}
    other = str(table["other"].iloc[0])
    axis.set_xlabel(f"difference in accuracy to: {titles.get(other, other)} [%]")
    figure.suptitle(heading(files))
    if found:
        legend_below(figure, handles(found, line=False))
    return figure
