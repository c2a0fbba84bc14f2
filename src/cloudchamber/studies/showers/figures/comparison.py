"""Distances of all models from truth over their floors: models, samplers and ablations side by side."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from cloudchamber.figures.labels import wrapped
from cloudchamber.settings.entries import need
from cloudchamber.studies.showers.observables import FEATURES
from cloudchamber.studies.showers.results import read_metrics, shown_models, species_in, value_of
from cloudchamber.studies.showers.species import SPECIES

__all__ = ["CAPTIONS", "draw_comparison"]

CAPTIONS = {
    "comparison": (
        "Distances of each model and sampler from truth, mean over species: Wasserstein distance of each feature, "
        "error of the profiles and distance of the energies of layers, each over its floor, the value of an "
        "independent true sample of the same particles; species whose floor is zero are left out. One, the dashed "
        "line, is as good as truth. Bars are uncertainties from the sizes of the samples and, where there are several "
        "trainings, from these. The last panel is the area under the curve of the classifier on high-level features, "
        "whose floor is one half. The heading says what made the true showers: the parametrisation is a stand-in and "
        "says nothing of real showers, Geant4 with substitute low-energy tables is transport and no reference."
    ),
}

_PANELS = (
    *(("w1", name, FEATURES[name].words) for name in ("visible_energy", "response", "hits", "hit_energy")),
    *(("w1", name, FEATURES[name].words) for name in ("centre_layer", "width", "start_layer")),
    ("profile_error", "longitudinal", "longitudinal profile"),
    ("profile_error", "radial", "radial profile"),
    ("layer_sums", "", "energies of layers"),
    ("auc_features", "", "classifier, AUC"),
)


def draw_comparison(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each measure, a row for each model and sampler.

    Args:
        files: "metrics", "models", "source" and "title".

    Raises:
        InputError: the table cannot be used.
        SettingsError: a key is missing.
    """
    table = read_metrics(files)
    models, species = shown_models(files, table, first_only=False), species_in(table)
    columns = 6
    rows = -(-len(_PANELS) // columns)
    figure = Figure(figsize=(12.0, rows * (1.0 + 0.34 * len(models)) + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    places = np.arange(len(models))[::-1]
    for (metric, feature, title), axis in zip(_PANELS, axes.flat, strict=False):
        absolute = metric.startswith("auc")
        for place, model in zip(places, models, strict=True):
            found = [
                value_of(table, name, model.name, model.sampler, metric, feature)
                for name in (["all"] if absolute else species)
            ]
            # Where truth is as near to itself as can be, nothing is so many times farther.
            known = [item for item in found if item is not None and (absolute or item.floor > 0)]
            if not known:
                continue
            scale = [1.0 if absolute else item.floor for item in known]
            value = float(np.mean([item.value / size for item, size in zip(known, scale, strict=True)]))
            error = np.sqrt(sum((item.uncertainty / size) ** 2 for item, size in zip(known, scale, strict=True)))
            axis.errorbar(
                value,
                place,
                xerr=error / len(known),
                color=model.look.color,
                marker=model.look.marker,
                fillstyle=model.look.fill,
                markersize=5,
            )
        axis.axvline(0.5 if absolute else 1.0, color="black", linewidth=0.8, linestyle="--")
        axis.set_title(title)
        axis.set_ylim(-0.7, len(models) - 0.3)
        axis.yaxis.set_minor_locator(FixedLocator([]))
        axis.set_yticks(places, [])
        if absolute:
            axis.set_xlim(0.4, 1.05)
        else:
            axis.set_xscale("log")
            low, high = axis.get_xlim()
            axis.set_xlim(min(low, 0.5), max(high, 20.0))
        axis.set_xlabel("AUC" if absolute else "distance over floor")
    for axis in axes[:, 0]:
        axis.set_yticks(places, [wrapped(model.label, 24) for model in models])
    for axis in axes.flat[len(_PANELS) :]:
        axis.set_visible(False)
    symbols = ", ".join(SPECIES[name].symbol for name in species)
    figure.suptitle(f"{need(files, 'title')}: {need(files, 'source')} ({symbols})")
    return figure
