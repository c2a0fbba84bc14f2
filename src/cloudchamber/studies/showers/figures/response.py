"""Response, resolution and number of hits against the incident energy."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import TRUTH as TRUTH_LOOK
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.results import TRUTH, read_metrics, shown_models, shown_species, value_of
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_response"]

CAPTIONS = {
    "response": (
        "Mean response, resolution (standard deviation of the response over its mean) and mean number of hits in bins "
        "of the incident energy, for each species, the first four where there are more. Horizontal bars are the bins, "
        "vertical ones standard deviations over resamplings of the showers. Models are moved sideways within their bin "
        "so that they can be told apart. The heading says what made the true showers: the parametrisation is a "
        "stand-in and says nothing of real showers, Geant4 with substitute low-energy tables is transport and no "
        "reference."
    ),
}

_MOST = 4
_PANELS = (
    ("mean", "response", "mean response"),
    ("resolution", "response", "resolution"),
    ("mean", "hits", "mean number of hits"),
)


def draw_response(files: Mapping[str, Any]) -> Figure:
    """Draw a row for each species.

    Args:
        files: "metrics", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    source, title = need(files, "source"), need(files, "title")
    models, (species, which) = shown_models(files, table), shown_species(table, _MOST)
    binned = table[table["low"].notna() & (table["model"] == TRUTH)]
    if binned.empty:
        raise InputError(f"{files['metrics']}: no metrics of truth in bins of the energy")
    figure = Figure(figsize=(10.0, 2.7 * len(species) + 0.6), layout="constrained")
    axes = figure.subplots(len(species), len(_PANELS), squeeze=False)
    drawn = [(TRUTH, "", TRUTH_LOOK), *((model.name, model.sampler, model.look) for model in models)]
    for name, row in zip(species, axes, strict=True):
        limits = sorted(set(zip(binned["low"].astype(float), binned["high"].astype(float), strict=True)))
        for (metric, feature, label), axis in zip(_PANELS, row, strict=True):
            for place, (model, sampler, look) in enumerate(drawn):
                share = (place + 1) / (len(drawn) + 1)
                points = []
                for low, high in limits:
                    found = value_of(table, name, model, sampler, metric, feature, (low, high))
                    if found is not None:
                        middle = low + share * (high - low)
                        points.append((middle, found.value, found.uncertainty, middle - low, high - middle))
                if not points:
                    continue
                x, y, error, left, right = np.array(points).T
                axis.errorbar(
                    x,
                    y,
                    yerr=error,
                    xerr=(left, right) if model == TRUTH else None,
                    linestyle="none",
                    color=look.color,
                    marker="o" if model == TRUTH else look.marker,
                    markersize=4,
                )
            axis.set_ylabel(f"{SPECIES[name].symbol}: {label}")
            axis.set_xlabel("incident energy [GeV]")
            axis.set_ylim(bottom=0.0)
    handles = [Line2D([], [], linestyle="none", color="black", marker="o", markersize=4, label="truth (test part)")]
    handles += [
        Line2D([], [], linestyle="none", color=m.look.color, marker=m.look.marker, markersize=4, label=m.label)
        for m in models
    ]
    figure.suptitle(f"{title}: {source}{which}")
    legend_below(figure, handles)
    return figure
