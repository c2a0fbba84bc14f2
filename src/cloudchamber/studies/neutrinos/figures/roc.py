"""Receiver operating characteristics of each interaction against the others."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.legends import legend_below
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.figures.panels import by_model, handles, style
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.reading import classifiers_of, heading

__all__ = ["draw_roc"]

CAPTIONS = {
    "roc": (
        "Share of the events of the other interactions that are kept against that of the events of one interaction, "
        "for all cuts on its probability; the first training of each classifier. Lower is better. Bands are "
        "the standard deviation over resamplings of the test events. The ceiling is a classifier of true visible "
        "prongs that does not know electrons from photons. All is a stand-in, Pythia 8 on free protons in a toy "
        "detector, and not NOvA."
    ),
}

_COLUMNS = ("model", "seed", "curve", "feature", "x", "y", "uncertainty")
# Of the logarithmic axis: less than one event in a thousand is not shown.
_LOWEST = 1e-3


def draw_roc(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each interaction.

    Args:
        files: "title", "source", "models" and "curves".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_table(need(files, "curves"), _COLUMNS)
    table = table[table["curve"] == "roc"]
    found = classifiers_of(files, table)
    figure = Figure(figsize=(11.0, 4.4), layout="constrained")
    axes = figure.subplots(1, len(INTERACTIONS), sharey=True)
    for axis, (name, symbol) in zip(axes, INTERACTIONS.items(), strict=True):
        for item, rows in by_model(table[table["feature"] == name], found):
            x, y, error = (rows[column].to_numpy(float) for column in ("x", "y", "uncertainty"))
            shown = style(item) | {"markevery": (2, 10)}
            axis.plot(x, y, **shown)
            axis.fill_between(
                x, (y - error).clip(_LOWEST), (y + error).clip(_LOWEST), color=item.look.color, alpha=0.15, linewidth=0
            )
        # No tick at the corner, where those of both axes would lie upon each other.
        axis.set_xticks([0.2, 0.4, 0.6, 0.8, 1.0])
        axis.set(yscale="log", xlim=(0, 1), ylim=(_LOWEST, 1.0), title=symbol, xlabel="signal efficiency")
    axes[0].set_ylabel("background efficiency")
    figure.suptitle(heading(files))
    legend_below(figure, handles(found))
    return figure
