"""Phase separation: local density and clusters."""

from collections.abc import Mapping
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from cloudchamber.errors import InputError
from cloudchamber.figures.legends import legend_below
from cloudchamber.figures.looks import looks
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.entries import need
from cloudchamber.studies.active_matter.numbers_of_study import Names

__all__ = ["CAPTIONS", "draw_phases"]

CAPTIONS = {
    "phases": (
        "Active disks in periodic boxes, second half of each simulation. Left: distribution of the packing fraction of "
        "squares whose side is about eight radii; two peaks mean two phases. Right: mean share of the disks in the "
        "five largest clusters, in which each disk is closer than 2.4 radii to another. Lines of one colour are of one "
        "ensemble at its drives. Bars are not drawn, since snapshots of one simulation are not independent."
    ),
}


def draw_phases(files: Mapping[str, Any]) -> Figure:
    """Draw local densities and cluster sizes of every ensemble of disks in a box.

    Args:
        files: "phases", path of a CSV, and the titles of ensembles.

    Raises:
        InputError: the table cannot be used, or no box is large enough.
        SettingsError: a key is missing.
    """
    names = Names.of(files)
    path = need(files, "phases")
    table = read_table(path, ("ensemble", "kind", "x", "value")).dropna(subset=["kind"])
    if table.empty:
        raise InputError(f"{path}: no box is large enough for local densities")
    order = [name for name in names.ensembles if (table["ensemble"] == name).any()]
    look = looks(order, [])
    figure = Figure(figsize=(9.6, 4.2), layout="constrained")
    density, clusters = figure.subplots(1, 2)
    handles = []
    for name in order:
        style: dict[str, Any] = {"color": look[name].color, "linestyle": look[name].linestyle}
        for axis, kind, marker in ((density, "local_density", None), (clusters, "cluster_share", look[name].marker)):
            rows = table[(table["ensemble"] == name) & (table["kind"] == kind)]
            for _, of_drive in rows.groupby("drive"):
                axis.plot(of_drive["x"], of_drive["value"], marker=marker, **style)
        handles.append(Line2D([], [], label=names.ensembles[name], marker=look[name].marker, **style))
    density.set_xlabel("packing fraction of a square")
    density.set_ylabel("density of squares")
    density.set_ylim(bottom=0.0)
    clusters.set_xlabel("rank of the cluster")
    clusters.set_ylabel("share of all disks")
    clusters.set_ylim(0.0, 1.02)
    clusters.set_xticks(range(1, 6))
    clusters.xaxis.set_minor_locator(NullLocator())
    figure.suptitle("Phase separation")
    legend_below(figure, handles)
    return figure
