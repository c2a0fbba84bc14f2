"""Histograms of jets: bins, fractions with uncertainties, and the panels that show them with a ratio."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from cloudchamber.figures.looks import GREY, TRUTH, Look
from cloudchamber.metrics.resampling import Sample

__all__ = [
    "OVERFLOW_NOTE",
    "Histogram",
    "bin_edges",
    "chi_squared",
    "draw_histograms",
    "draw_ratios",
    "histogram",
    "integer_edges",
    "legend_handles",
]

OVERFLOW_NOTE = "The first and last bin of each panel hold what lies beyond the axis."

# Largest ratio of an axis and its ticks; the smallest axis that holds nine tenths of the well known ratios is taken.
_RATIO_AXES = {1.25: (0.9, 1.0, 1.1), 1.6: (0.7, 1.0, 1.4), 2.5: (0.5, 1.0, 2.0)}
_WELL_KNOWN = 0.2


@final
@dataclass(frozen=True)
class Histogram:
    """Fractions of the entries per bin.

    Attributes:
        edges: (K + 1,).
        counts: (K,) entries, or sums of weights that add up to the effective number of jets; the first and last bin
            hold what lies beyond the edges.
        fractions: (K,) sums to 1, or zeros where there is no entry.
        errors: (K,) statistical uncertainty of ``fractions``.
    """

    edges: np.ndarray
    counts: np.ndarray
    fractions: np.ndarray
    errors: np.ndarray

    @classmethod
    def of_counts(cls, edges: np.ndarray, counts: np.ndarray) -> "Histogram":
        """Return the histogram of jets that were counted: (K,) counts, independent of each other.

        The uncertainty is the square root of the counts but for what their fixed total takes from it.
        """
        total = max(float(counts.sum()), 1.0)
        fractions = counts / total
        return cls(edges, counts, fractions, np.sqrt(fractions * (1.0 - fractions) / total))


def bin_edges(reference: Sample, others: Sequence[Sample], logarithmic: bool = False) -> np.ndarray:
    """Return bins of equal width, or of equal ratio, that show the reference and the bulk of the others.

    The range holds 99.8 % of the reference. It is widened to hold 98 % of each other sample, but by no more than half
    of its own width on each side, so that a bad model does not squeeze the reference into a few bins. The number of
    bins follows the number of values of the reference. Values that a logarithmic axis cannot show do not count here.
    Where the reference has weights, its range holds that share of their sizes.
    """
    values = [sample.values for sample in (reference, *others)]
    weights = reference.entry_weights
    if logarithmic:
        weights = None if weights is None else weights[values[0] > 0]
        values = [np.log(of_sample[of_sample > 0]) for of_sample in values]
        if not len(values[0]):
            # As of D2 of jets of two particles, which is zero: bins around one, and all entries in the first.
            values[0], weights = np.zeros(1), None
    low, high = _quantiles(values[0], weights, [0.001, 0.999])
    if low == high:
        low, high = low - 0.5, high + 0.5
    room = 0.5 * (high - low)
    reach = np.array([np.quantile(other, [0.01, 0.99]) for other in values[1:] if len(other)]).reshape(-1, 2)
    first = max(low - room, min([low, *reach[:, 0]]))
    last = min(high + room, max([high, *reach[:, 1]]))
    entries = len(reference.values) * reference.size / max(reference.n_jets, 1)
    bins = int(np.clip(0.5 * np.sqrt(entries), 12, 40) * (last - first) / (high - low))
    edges = np.linspace(first, last, bins + 1)
    return np.exp(edges) if logarithmic else edges


def _quantiles(values: np.ndarray, weights: np.ndarray | None, shares: Sequence[float]) -> np.ndarray:
    if weights is None:
        return np.quantile(values, shares)
    return np.quantile(values, shares, weights=np.abs(weights), method="inverted_cdf")


def integer_edges(reference: Sample, others: Sequence[Sample]) -> np.ndarray:
    """Return bins around whole numbers that hold all of the reference and 99 % of each other sample."""
    low = int(min([reference.values.min(), *(np.quantile(sample.values, 0.01) for sample in others)]))
    high = int(max([reference.values.max(), *(np.quantile(sample.values, 0.99) for sample in others)]))
    step = max(1, -(-(high - low + 1) // 40))
    return np.arange(low, high + step + 1, step) - 0.5


def histogram(sample: Sample, edges: np.ndarray) -> Histogram:
    """Return the fractions of the entries per bin; entries beyond the edges count in the first and last bin.

    The uncertainty comes from the spread between jets, so that it is right for particles too, which are not
    independent within a jet: the variance of the ratio of sums over jets, sum_j (c_jk - f_k n_j)^2 / (sum_j n_j)^2,
    with c_jk the entries of jet j in bin k and n_j all its entries, each times the weight of the jet. A bin whose
    weights add up to less than zero has a negative fraction.
    """
    n_bins = len(edges) - 1
    bins = np.clip(np.searchsorted(edges, sample.values, side="right") - 1, 0, n_bins - 1)
    cells = np.bincount(sample.jets * n_bins + bins, minlength=sample.n_jets * n_bins)
    per_jet = cells.reshape(sample.n_jets, n_bins).astype(np.float64)
    if sample.weights is not None:
        per_jet *= sample.weights[:, None]
    counts = per_jet.sum(axis=0)
    total = max(counts.sum(), 1.0) if sample.weights is None else counts.sum()
    fractions = counts / total
    residuals = per_jet - fractions * per_jet.sum(axis=1, keepdims=True)
    return Histogram(edges, counts, fractions, np.sqrt((residuals**2).sum(axis=0)) / total)


def chi_squared(first: np.ndarray, second: np.ndarray) -> tuple[float, int]:
    """Return chi squared of two histograms of counts having one parent distribution, and its degrees of freedom.

    Neighbouring bins are merged until each has at least 10 entries of both together. The sum over bins of
    (sqrt(M/N) n - sqrt(N/M) m)^2 / (n + m), for totals N and M, has one degree of freedom less than there are bins
    (Particle Data Group, review of statistics, homogeneity of histograms).
    """
    groups: list[np.ndarray] = []
    running = np.zeros(2)
    for pair in np.stack([first, second], axis=1):
        running = running + pair
        if running.sum() >= 10:
            groups.append(running)
            running = np.zeros(2)
    if groups:
        groups[-1] = groups[-1] + running
    n, m = np.array(groups).reshape(-1, 2).T
    ratio = np.sqrt(second.sum() / first.sum())
    return float((((ratio * n - m / ratio) ** 2) / (n + m)).sum()), max(len(groups) - 1, 0)


def draw_histograms(
    axis: Axes, reference: Histogram | None, others: Sequence[tuple[Look, Histogram]], error_bars: bool = False
) -> None:
    """Draw the reference filled, with a band of its uncertainty, and the others as lines."""
    if reference is not None:
        axis.stairs(reference.fractions, reference.edges, fill=True, color=GREY, alpha=0.6)
        _band(axis, reference.edges, reference.fractions, reference.errors)
        axis.stairs(reference.fractions, reference.edges, color=TRUTH.color, linewidth=1.0, baseline=None)
    for look, other in others:
        _line(axis, other.edges, other.fractions, other.errors if error_bars else None, look)


def draw_ratios(
    axis: Axes, reference: Histogram, others: Sequence[tuple[Look, Histogram]], error_bars: bool = False
) -> None:
    """Draw the others over the reference, on a logarithmic axis, with the relative uncertainty of the reference.

    Where the reference is empty nothing is drawn; ratios beyond the axis leave the panel.
    """
    filled = reference.fractions > 0
    over = np.divide(1.0, reference.fractions, out=np.full(len(filled), np.nan), where=filled)
    _band(axis, reference.edges, np.where(filled, 1.0, np.nan), reference.errors * over)
    axis.axhline(1.0, color=TRUTH.color, linewidth=1.0)
    for look, other in others:
        _line(axis, other.edges, other.fractions * over, other.errors * over if error_bars else None, look)
    axis.set_yscale("log")
    known = filled & (reference.errors * over < _WELL_KNOWN)
    limit = _ratio_limit(np.concatenate([[1.0], *((other.fractions * over)[known] for _, other in others)]))
    axis.set_ylim(1 / limit, limit)
    axis.yaxis.set_major_locator(FixedLocator(_RATIO_AXES[limit]))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_minor_formatter(NullFormatter())


def _ratio_limit(ratios: np.ndarray) -> float:
    size = np.maximum(ratios, 1 / np.maximum(ratios, 1e-9))
    return next((limit for limit in _RATIO_AXES if np.mean(size <= limit) >= 0.9), max(_RATIO_AXES))


def _band(axis: Axes, edges: np.ndarray, values: np.ndarray, errors: np.ndarray) -> None:
    axis.stairs(
        values + errors,
        edges,
        baseline=np.maximum(values - errors, 0.0),
        fill=True,
        facecolor="none",
        edgecolor="#707070",
        hatch="//////",
        linewidth=0.0,
    )


def _line(axis: Axes, edges: np.ndarray, values: np.ndarray, errors: np.ndarray | None, look: Look) -> None:
    axis.stairs(values, edges, color=look.color, linestyle=look.linestyle, linewidth=1.5, baseline=None)
    if errors is not None:
        centres = 0.5 * (edges[1:] + edges[:-1])
        axis.errorbar(centres, values, errors, fmt="none", ecolor=look.color, elinewidth=1.0)


def legend_handles(truth: str, models: Sequence[tuple[str, Look]]) -> list[Line2D | Patch]:
    """Return the entries of a legend: truth filled, with its statistical band, then the lines of the models."""
    handles: list[Line2D | Patch] = [
        Patch(facecolor=GREY, edgecolor=TRUTH.color, label=truth),
        Patch(
            facecolor="none", edgecolor="#707070", hatch="//////", linewidth=0.0, label="its statistical uncertainty"
        ),
    ]
    handles += [Line2D([], [], color=look.color, linestyle=look.linestyle, label=label) for label, look in models]
    return handles
