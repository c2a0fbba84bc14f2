"""Quality of each model against what its sampling costs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.figures.dots import floor_handles, logarithmic, marker, model_handles
from cloudchamber.figures.inputs import distinct
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.sample_sizes import sizes
from cloudchamber.jets.features import LABELS
from cloudchamber.settings.entries import need

__all__ = ["cost", "draw_cost"]

CAPTIONS = {
    "cost": (
        "KL(generated || truth) of the jet mass and of tau32 against what one jet "
        "costs: seconds, measured while the jets were drawn, on the machine and with the threads of that job, "
        "and evaluations of the network. Samplers of one model are joined by a line. Bars: standard deviation "
        "of the divergence over resamplings. Black line: the floor. The baseline takes no evaluation and "
        "stands at zero."
    ),
}

_FEATURES = ("jet_mass", "tau32")


def draw_cost(files: Mapping[str, Any]) -> Figure:
    """Draw the KL divergence against time and evaluations from the table of the study."""
    quality = {feature: read_measurements(files, "kl", (feature,)) for feature in _FEATURES}
    seconds, evaluations = (read_measurements(files, metric) for metric in ("seconds_per_jet", "evaluations_per_jet"))
    return cost(quality, seconds, evaluations, need(files, "title"))


def cost(
    quality: Mapping[str, Sequence[Measurement]],
    seconds: Sequence[Measurement],
    evaluations: Sequence[Measurement],
    title: str,
) -> Figure:
    """Draw the KL divergence of jet features against the time and the network evaluations per jet.

    Args:
        quality: feature -> KL divergence of each model and sampler.
        seconds, evaluations: cost of each model and sampler, in the same order.
        title: what was compared.
    """
    figure = Figure(figsize=(9.0, 3.1 * len(quality) + 1.0), layout="constrained")
    axes = figure.subplots(len(quality), 2, sharex="col", sharey="row", squeeze=False)
    for (left, right), (feature, measurements) in zip(axes, quality.items(), strict=True):
        for axis, costs in ((left, seconds), (right, evaluations)):
            axis.axhline(measurements[0].floor, color="black", linewidth=1.0)
            for model in distinct([item.model for item in costs], by_name=True):
                points = [
                    (of_cost, item)
                    for of_cost, item in zip(costs, measurements, strict=True)
                    if item.model.name == model.name
                ]
                points.sort(key=lambda pair: pair[0].value)
                x, y = ([item.value for item in side] for side in zip(*points, strict=True))
                axis.plot(x, y, color=model.look.color, linestyle=model.look.linestyle)
                for of_cost, item in points:
                    axis.errorbar(of_cost.value, item.value, np.nan_to_num(item.uncertainty), **marker(item.model.look))
            axis.set_yscale("log")
        logarithmic(left, "y", *left.get_ylim())
        left.set_ylabel(f"KL(generated || truth) [nat]\nof {LABELS[feature].symbol}")
    axes[-1, 0].set_xscale("log")
    # A baseline takes no evaluation at all, which a logarithmic axis does not have.
    axes[-1, 1].set_xscale("symlog", linthresh=1.0)
    axes[-1, 1].set_xlim(-0.3, 3.0 * max(1.0, *(item.value for item in evaluations)))
    axes[-1, 0].set_xlabel("time per jet [s]")
    axes[-1, 1].set_xlabel("network evaluations per jet")
    figure.suptitle(f"{title}: {sizes(next(iter(quality.values())))}")
    models = distinct([item.model for item in seconds])
    legend_below(figure, [*model_handles(models), floor_handles()[0]])
    return figure
