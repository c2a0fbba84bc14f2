"""Distributions of what is measured of showers, with ratios to truth."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.figures.panels import draw_curves, handles_of
from cloudchamber.studies.showers.observables import FEATURES
from cloudchamber.studies.showers.results import TRUTH, curves_of, read_curves, shown_models, shown_species
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_spectra"]

CAPTIONS = {
    "spectra": (
        "Share of showers, or of hits, in bins of visible energy, response, number of hits, energy of a hit, centre of "
        "gravity in depth and start layer, for each species, the first three where there are more; below, the ratio to "
        "truth, up to two. The first and last bin hold what lies beyond the axis. The response is the energy of the "
        "cells over the sampling fraction of their layers and the incident energy. The start layer is the first of two "
        "in a row with more than four times the energy of a minimum ionising particle, or the number of layers where "
        "there is none. The heading says what made the true showers: the parametrisation is a stand-in and says "
        "nothing of real showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
}

_MOST = 3
_SHOWN = ("visible_energy", "response", "hits", "hit_energy", "centre_layer", "start_layer")


def draw_spectra(files: Mapping[str, Any]) -> Figure:
    """Draw a column for each feature and two rows, distribution and ratio, for each species.

    Args:
        files: "spectra", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_curves(need(files, "spectra"), ("feature",))
    source, title = need(files, "source"), need(files, "title")
    models, (species, which) = shown_models(files, table), shown_species(table, _MOST)
    figure = Figure(figsize=(2.55 * len(_SHOWN), 3.5 * len(species)), layout="constrained")
    axes = figure.subplots(2 * len(species), len(_SHOWN), height_ratios=[2.2, 1.0] * len(species), squeeze=False)
    for row, name in enumerate(species):
        for column, feature in enumerate(_SHOWN):
            upper, lower = axes[2 * row, column], axes[2 * row + 1, column]
            truth = curves_of(table, name, TRUTH, "", feature=feature)
            drawn = [
                (model, curves_of(table, name, model.name, model.sampler, feature=feature))
                for model in models
                if ((table["dataset"] == name) & (table["model"] == model.name)).any()
            ]
            draw_curves(upper, lower, truth, drawn)
            if feature == "hit_energy":
                upper.set_xscale("log")
                lower.set_xscale("log")
            lower.set_xlim(upper.get_xlim())
            upper.tick_params(labelbottom=False)
            lower.set_xlabel(FEATURES[feature].axis)
            if column == 0:
                upper.set_ylabel(f"{SPECIES[name].symbol}: share")
                lower.set_ylabel("ratio")
    figure.suptitle(f"{title}: {source}{which}")
    legend_below(figure, handles_of("truth (test part)", models))
    return figure
