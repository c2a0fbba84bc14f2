"""Single events in two views, and how much event and prongs look at each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.event_clouds import EventClouds, read_event_clouds
from cloudchamber.studies.neutrinos.names import INTERACTIONS, PRONGS, VIEWS
from cloudchamber.studies.neutrinos.reading import heading
from cloudchamber.studies.neutrinos.score_file import Attention, ScoreFile, read_scores

__all__ = ["draw_displays"]

CAPTIONS = {
    "displays": (
        "Test events in both views: hits, whose area grows with their energy, in the window about the reconstructed "
        "vertex. Colours and markers are the prongs by falling energy; crosses belong to none. On the right, how much "
        "event and prongs (rows) look at each other (columns) in the last layer of the first training of the network "
        "with context, mean over heads; prongs carry their true particle, and behind an arrow the one they are given. "
        "All is a stand-in, Pythia 8 on free protons in a toy detector, and not NOvA."
    ),
}

_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#332288")
_MARKERS = ("o", "^", "D", "v", "s", "P")
_NONE: Mapping[str, Any] = {"color": "#6e6e6e", "marker": "x"}
# Of the largest marker [points squared], and the energy from where on all are as large [mip].
_LARGEST, _FULL = 40.0, 40.0


def draw_displays(files: Mapping[str, Any]) -> Figure:
    """Draw a row for each event: XZ, YZ, attention.

    Args:
        files: "title", "source", "models", "events" and "scores".

    Raises:
        InputError: a file cannot be used, or holds no attention.
        SettingsError: a key is missing.
    """
    events = read_event_clouds(need(files, "events"))
    path = Path(need(files, "scores"))
    scores = read_scores(path)
    if not scores.attention:
        raise InputError(f"{path}: no attention of a network with context")
    seen = scores.attention
    figure = Figure(figsize=(11.5, 1.0 + 2.7 * len(seen)), layout="constrained")
    axes = figure.subplots(len(seen), 3, squeeze=False, width_ratios=(1.15, 1.15, 1.0))
    largest = max(float(item.weights[-1].mean(axis=0).max()) for item in seen)
    for row, item in zip(axes, seen, strict=True):
        hits = events.hits(item.row)
        for number, (axis, view) in enumerate(zip(row[:2], VIEWS, strict=True)):
            _draw_hits(axis, hits[hits[:, 0] == number], events)
            axis.set(ylabel=f"cell ({view[0].lower()})", xlabel="plane (z)")
        row[0].set_title(_title(events, scores, item))
        row[1].set_title("the same in YZ")
        row[2].set_title("attention")
        image = _draw_attention(row[2], item, _labels(events, scores, item), largest)
    figure.colorbar(image, ax=axes[:, 2], label="attention (mean over heads)", shrink=0.8)
    figure.suptitle(heading(files))
    most = max(int(events.prong_mask[item.row].sum()) for item in seen)
    prongs = [Line2D([], [], linestyle="none", label=f"prong {number + 1}", **_look(number)) for number in range(most)]
    legend_below(figure, [*prongs, Line2D([], [], linestyle="none", label="no prong", markersize=5, **_NONE)])
    return figure


def _look(number: int) -> dict[str, Any]:
    return {"color": _COLORS[number % len(_COLORS)], "marker": _MARKERS[number % len(_MARKERS)]}


def _draw_hits(axis: Axes, hits: np.ndarray, events: EventClouds) -> None:
    size = 2 + _LARGEST * np.minimum(hits[:, 3] / _FULL, 1.0)
    for number in range(-1, events.window.prongs):
        chosen = hits[:, 4] == number
        look = dict(_NONE) if number < 0 else _look(number)
        axis.scatter(hits[chosen, 1], hits[chosen, 2], s=size[chosen], linewidths=0.6, **look)
    axis.set(xlim=(0, events.window.planes), ylim=(0, events.window.cells))


def _title(events: EventClouds, scores: ScoreFile, item: Attention) -> str:
    symbols = list(INTERACTIONS.values())
    place, found = _of_event(scores, item)
    chosen = int(found.event[place].argmax())
    share = float(np.exp(found.event[place, chosen]))
    true = symbols[int(events.interaction[item.row])]
    return f"{true}, {events.energy[item.row]:g} GeV $\\to$ {symbols[chosen]} ({share:.2f})"


def _of_event(scores: ScoreFile, item: Attention) -> tuple[int, Any]:
    """Return the place of an event in the scores, and the scores of the network whose attention is shown."""
    name, seed = scores.attentive
    found = next(entry for entry in scores.scores if (entry.model, entry.seed) == (name, seed))
    return int(np.flatnonzero(scores.rows == item.row)[0]), found


def _labels(events: EventClouds, scores: ScoreFile, item: Attention) -> list[str]:
    symbols = list(PRONGS.values())
    place, found = _of_event(scores, item)
    chosen = found.prong[place].argmax(axis=1)
    prongs = np.flatnonzero(events.prong_mask[item.row])
    names = [
        f"{number + 1}: {symbols[events.prong_class[item.row, number]]} $\\to$ {symbols[chosen[number]]}"
        for number in prongs
    ]
    return ["event", *names]


def _draw_attention(axis: Axes, item: Attention, labels: list[str], largest: float) -> Any:
    image = axis.imshow(item.weights[-1].mean(axis=0), cmap="cividis", vmin=0.0, vmax=largest)
    axis.set_xticks(range(len(labels)), ["event", *(str(number) for number in range(1, len(labels)))])
    axis.set_yticks(range(len(labels)), labels)
    axis.tick_params(which="both", length=0)
    axis.xaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_locator(NullLocator())
    axis.set_xlabel("is looked at")
    return image
