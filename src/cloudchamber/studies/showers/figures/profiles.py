"""Mean energy of layers and of rings around the axis, with ratios to truth."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.figures.panels import draw_curves, handles_of
from cloudchamber.studies.showers.results import TRUTH, curves_of, read_curves, shown_models, shown_species
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_profiles"]

CAPTIONS = {
    "profiles": (
        "Mean visible energy of each layer, and of rings around the axis of the shower per millimetre of radius, of "
        "cells above threshold, for each species, the first three where there are more; below, the ratio to truth, up "
        "to two. The band is the standard error of truth in the test part. Each model has its first sampler and first "
        "training. The heading says what made the true showers: the parametrisation is a stand-in and says nothing of "
        "real showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
}

_MOST = 3
_KINDS = {
    "longitudinal": ("layer", "energy of a layer [MeV]"),
    "radial": ("distance from the axis [mm]", "energy per radius [MeV/mm]"),
}


def draw_profiles(files: Mapping[str, Any]) -> Figure:
    """Draw profiles, a column for each species and kind.

    Args:
        files: "profiles", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_curves(need(files, "profiles"), ("profile",))
    source, title = need(files, "source"), need(files, "title")
    models, (species, which) = shown_models(files, table), shown_species(table, _MOST)
    columns = [(name, kind) for name in species for kind in _KINDS]
    figure = Figure(figsize=(3.1 * len(columns), 4.6), layout="constrained")
    axes = figure.subplots(2, len(columns), sharex="col", height_ratios=[2.2, 1.0], squeeze=False)
    for (name, kind), (upper, lower) in zip(columns, axes.T, strict=True):
        truth = curves_of(table, name, TRUTH, "", profile=kind)
        drawn = [
            (model, curves_of(table, name, model.name, model.sampler, profile=kind))
            for model in models
            if ((table["dataset"] == name) & (table["model"] == model.name)).any()
        ]
        if kind == "radial":
            widths = (truth["high"] - truth["low"]).to_numpy(float)
            truth, drawn = _per_width(truth, widths), [(model, _per_width(rows, widths)) for model, rows in drawn]
            upper.set_yscale("log")
            upper.set_xscale("symlog", linthresh=20)
            positive = truth["value"].to_numpy(float)
            upper.set_ylim(0.3 * positive[positive > 0].min(), 4 * positive.max())
            lower.set_xticks([0, 20, 100, 500], ["0", "20", "100", "500"])
            lower.minorticks_off()
        draw_curves(upper, lower, truth, drawn)
        upper.set_title(f"{SPECIES[name].symbol}, {kind}")
        upper.set_ylabel(_KINDS[kind][1])
        lower.set_xlabel(_KINDS[kind][0])
        lower.set_ylabel("ratio to truth")
    figure.suptitle(f"{title}: {source}{which}")
    legend_below(figure, handles_of("truth (test part)", models))
    return figure


def _per_width(rows: Any, widths: np.ndarray) -> Any:
    return rows.assign(
        value=rows["value"].to_numpy(float) / widths, uncertainty=rows["uncertainty"].to_numpy(float) / widths
    )
