"""What attention looks at: how much each jet of an event looks at each other one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.settings.entries import need
from cloudchamber.studies.assignment.assignment_file import Attention, read_attention
from cloudchamber.studies.assignment.event_file import Events, read_events
from cloudchamber.studies.assignment.figures.panels import heading
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

__all__ = ["draw_attention"]

CAPTIONS = {
    "attention": (
        "How much each jet (row) looks at each other one (column) in the encoder of the first network, the mean over "
        "heads in its first and in its last layer, for test events with the jets of both tops, those of "
        "fewest jets first. Each row adds up to one. Jets stand by the parton that they come from; b and q of one top "
        "carry its number, and jets of neither are called none. Lines set the tops apart."
    ),
}

_PARTONS = ("b 1", "q 1", "q' 1", "b 2", "q 2", "q' 2")


def draw_attention(files: Mapping[str, Any]) -> Figure:
    """Draw the attention among the jets of some events, a column for each.

    Args:
        files: "title", "events" and "assignments" of the own sample.

    Raises:
        InputError: a file cannot be used, or holds no attention.
        SettingsError: a key is missing.
    """
    events = read_events(Path(need(files, "events")), ALL_HADRONIC_TOP_PAIR)
    seen = read_attention(Path(need(files, "assignments")))
    if not seen:
        raise InputError(f"{files['assignments']}: no attention in the file")
    layers = list(dict.fromkeys((0, len(seen[0].weights) - 1)))
    figure = Figure(figsize=(1.6 + 2.9 * len(seen), 1.2 + 2.9 * len(layers)), layout="constrained")
    axes = figure.subplots(len(layers), len(seen), squeeze=False)
    means = [[item.weights[layer].mean(axis=0) for item in seen] for layer in layers]
    largest = max(float(values.max()) for row in means for values in row)
    for row, layer, values in zip(axes, layers, means, strict=True):
        for number, (axis, item, weights) in enumerate(zip(row, seen, values, strict=True)):
            order, names, tops = _by_parton(events, item)
            image = axis.imshow(weights[np.ix_(order, order)], cmap="cividis", vmin=0.0, vmax=largest)
            axis.set_xticks(range(len(names)), names, rotation=90)
            axis.set_yticks(range(len(names)), names)
            axis.tick_params(which="both", length=0)
            axis.xaxis.set_minor_locator(NullLocator())
            axis.yaxis.set_minor_locator(NullLocator())
            for edge in tops:
                axis.axhline(edge, color="white", linewidth=1.2)
                axis.axvline(edge, color="white", linewidth=1.2)
            axis.set_title(f"event {number + 1}, layer {layer + 1}")
        row[0].set_ylabel("jet that looks")
    for axis in axes[-1]:
        axis.set_xlabel("jet that is looked at")
    figure.colorbar(image, ax=axes, label="attention (mean over heads)", shrink=0.8)
    figure.suptitle(heading(files).replace(" (", "\n("))
    return figure


def _by_parton(events: Events, item: Attention) -> tuple[list[int], list[str], list[float]]:
    """Return the jets in the order of their partons, their names, and where a top ends."""
    targets = events.targets[item.row].tolist()
    others = [jet for jet in range(item.weights.shape[-1]) if jet not in targets]
    order = [*targets, *others]
    edges = [2.5, 5.5] if others else [2.5]
    return order, [*_PARTONS, *("none" for _ in others)], edges
