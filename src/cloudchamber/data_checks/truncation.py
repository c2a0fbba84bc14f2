"""What clouds lack: constituents beyond the padded length, and for jets of a file those that the file does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.labels import count
from cloudchamber.figures.looks import GREY, TRUTH
from cloudchamber.settings.entries import entries

__all__ = ["Truncation", "draw_truncation", "read_truncations", "truncation"]

CAPTIONS = {
    "truncation": (
        "What padding to a fixed length costs. Left: the number of constituents of each cloud before "
        "truncation; the dashed line is the padded length, and clouds to its right lose their softest "
        "constituents. Right: the transverse momentum of the kept constituents over that of all (vector sums "
        "for jets), with the lowest values in the first bin. The heading gives the mean and the largest "
        "fraction of the scalar sum that was lost, as counted when the files were read. Every cloud counts one, "
        "whatever its event weighs. For jets that a file has, "
        "a third panel: the transverse momentum of the vector sum of all constituents over that which the file "
        "has for the jet. It is one where the file has all of them and the jet is their plain sum. The energy scale "
        "of Delphes puts it below one, by up to a sixth at 20 GeV and less at high momentum; subtraction of pile-up "
        "from the jet and not from its constituents puts it above one. A tail to low values is momentum that the "
        "clouds lack. The first and last bin hold what lies beyond."
    ),
}


def draw_truncation(files: Mapping[str, Any]) -> Figure:
    """Draw what padding costs."""
    return truncation(read_truncations(files))


@final
@dataclass(frozen=True)
class Truncation:
    """Truncation of one data set.

    Attributes:
        title: the data set.
        multiplicity: (N,) constituents of each cloud before truncation.
        kept: (N,) transverse momentum of the kept constituents over that of all.
        width: padded length.
        cost: what the ingestion counted: "clouds_truncated", "mean_lost_pt_fraction", "worst_lost_pt_fraction".
        closure: (N,) transverse momentum of all constituents over that which the file has for the jet; None for clouds
            that are no jets of a file.
    """

    title: str
    multiplicity: np.ndarray
    kept: np.ndarray
    width: int
    cost: Mapping[str, float]
    closure: np.ndarray | None = None


def read_truncations(files: Mapping[str, Any]) -> list[Truncation]:
    """Read the clouds of each data set.

    Raises:
        InputError: a file cannot be used, or it says nothing of truncation.
        SettingsError: a key is missing, or there is no data set.
    """
    return [_read(dataset["clouds"], dataset["title"]) for dataset in entries(files, "datasets", ("clouds", "title"))]


def _read(path: str, title: str) -> Truncation:
    # What the file holds is shown, not what it stands for.
    clouds = read_clouds(path, weighted=True)
    if "truncation" not in clouds.meta:
        raise InputError(f"{path}: no record of truncation is stored; it is written by 'cloudchamber ingest'")
    multiplicity = clouds.feature("n_constituents").round().astype(np.int64)
    width, cost = clouds.points.shape[1], clouds.meta["truncation"]
    return Truncation(title, multiplicity, _kept(clouds), width, cost, _closure(clouds))


def _kept(clouds: Clouds) -> np.ndarray:
    """Return the share of the jet pT (vector sums), or of the sum of pT for clouds that are whole events."""
    pt = clouds.point("pt").astype(np.float64)
    if "sum_pt" in [column.name for column in clouds.feature_columns]:
        return pt.sum(axis=1) / clouds.feature("sum_pt")
    phi = clouds.point("phi").astype(np.float64)
    return np.hypot((pt * np.cos(phi)).sum(axis=1), (pt * np.sin(phi)).sum(axis=1)) / clouds.feature("jet_pt")


def _closure(clouds: Clouds) -> np.ndarray | None:
    if "stored_pt" not in [column.name for column in clouds.feature_columns]:
        return None
    return clouds.feature("jet_pt").astype(np.float64) / clouds.feature("stored_pt")


def truncation(data: Sequence[Truncation]) -> Figure:
    """Draw, for each data set, the multiplicity before truncation and the share of the transverse momentum kept.

    Jets of a file have a third panel, their closure.
    """
    panels = 2 if all(item.closure is None for item in data) else 3
    figure = Figure(figsize=(4.5 * panels, 3.2 * len(data) + 0.4), layout="constrained")
    rows = figure.subfigures(len(data), 1, squeeze=False)[:, 0]
    for row, item in zip(rows, data, strict=True):
        left, right, *more = row.subplots(1, panels)
        highest = int(item.multiplicity.max())
        step = max(1, highest // 60)
        edges = np.arange(0, max(highest, item.width) + step + 1, step) - 0.5
        left.hist(item.multiplicity, edges, histtype="stepfilled", color=GREY, edgecolor=TRUTH.color)
        left.axvline(item.width + 0.5, color="#D55E00", linestyle=(0, (5.0, 1.6)), label=f"padded length {item.width}")
        left.set_xlim(edges[0], edges[-1])
        left.set_xlabel("constituents before truncation")
        left.set_ylabel(f"clouds per {step}" if step > 1 else "clouds")
        kept_edges = np.linspace(min(0.999, float(np.quantile(item.kept, 0.001))), 1.0 + 1e-6, 41)
        values = np.clip(item.kept, kept_edges[0], kept_edges[-1])
        right.hist(values, kept_edges, histtype="stepfilled", color=GREY, edgecolor=TRUTH.color)
        right.set_xlabel(r"$p_\mathrm{T}$ of the kept constituents / $p_\mathrm{T}$ of all")
        right.set_ylabel("clouds")
        right.set_yscale("log")
        for axis in more:
            _draw_closure(axis, item.closure)
        share = item.cost["clouds_truncated"] / len(item.multiplicity)
        row.suptitle(
            f"{item.title}: {count(len(item.multiplicity))} clouds, {100 * share:.1f} % truncated;"
            f" $p_\\mathrm{{T}}$ lost: mean {100 * item.cost['mean_lost_pt_fraction']:.2f} %,"
            f" worst {100 * item.cost['worst_lost_pt_fraction']:.1f} %"
        )
        row.legend(handles=left.get_legend_handles_labels()[0], loc="outside lower center")
    return figure


def _draw_closure(axis: Axes, closure: np.ndarray | None) -> None:
    if closure is None:
        axis.set_visible(False)
        return
    low, high = np.quantile(closure, (0.001, 0.999))
    edges = np.linspace(min(0.8, float(low)), max(1.05, float(high)), 51)
    values = np.clip(closure, edges[0], edges[-1])
    axis.hist(values, edges.tolist(), histtype="stepfilled", color=GREY, edgecolor=TRUTH.color)
    axis.axvline(1.0, color=TRUTH.color, linestyle=":")
    axis.set_xlabel(r"$p_\mathrm{T}$ of all constituents / stored $p_\mathrm{T}$")
    axis.set_ylabel("jets")
    axis.set_yscale("log")
    axis.set_title(f"closure of stored jets: median {np.median(closure):.3f}", fontsize=9)
