"""Metrics of jets as wholes: one number per model, each metric with its floor."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.errors import InputError
from cloudchamber.figures.dots import floor_handles
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.metric_panels import Metric, metric_panels, sizes_of
from cloudchamber.settings.entries import need

__all__ = ["JET_METRICS", "draw_jet_metrics", "jet_metrics", "read_jet_metrics"]

CAPTIONS = {
    "jet_metrics": (
        "Metrics of jets as wholes, one panel each: the Wasserstein-1 distances W1-M of the relative jet "
        "mass, W1-P of the particle features and W1-EFP of energy flow polynomials; the Frechet and kernel "
        "physics distances FPD and KPD; coverage and minimum matching distance MMD, from energy mover's "
        "distances; the area under the curve of a classifier that tells generated from true jets; and the "
        "share of jets that are unusually close to training jets (memorisation). Metrics that were not "
        "measured are left out. Bars: uncertainty of one value as each metric defines it; small dots: single "
        "seeds. Black line and grey band: the same metric of independent true jets, and its uncertainty. An "
        "axis that is linear around zero has values that are not positive."
    ),
}


JET_METRICS: Mapping[str, Metric] = {
    "w1m": Metric("W1-M", "log", "lower"),
    "w1p": Metric("W1-P", "log", "lower"),
    "w1efp": Metric("W1-EFP", "log", "lower"),
    "fpd": Metric("FPD", "log", "lower"),
    "kpd": Metric("KPD", "log", "lower"),
    "coverage": Metric("coverage", "linear", "higher"),
    "mmd": Metric("MMD", "log", "lower"),
    "c2st_auc": Metric("AUC against truth", "linear", "lower"),
    "memorisation": Metric("memorisation", "linear", "near the floor"),
}


def draw_jet_metrics(files: Mapping[str, Any]) -> Figure:
    """Draw the metrics of whole jets from the table of the study."""
    return jet_metrics(read_jet_metrics(files), need(files, "title"))


def read_jet_metrics(files: Mapping[str, Any]) -> dict[str, list[Measurement]]:
    """Return each metric of ``JET_METRICS`` that there is, of each model and sampler that has it.

    Raises:
        InputError: the table cannot be read, or none of the metrics is there.
        SettingsError: a key is missing.
    """
    found = {name: read_measurements(files, name, partial=True) for name in JET_METRICS}
    there = {name: measurements for name, measurements in found.items() if measurements}
    if not there:
        raise InputError(f"{need(files, 'metrics')}: none of the metrics {', '.join(JET_METRICS)}")
    return there


def jet_metrics(data: Mapping[str, Sequence[Measurement]], title: str) -> Figure:
    """Draw one panel per metric, one row per model and sampler.

    Args:
        data: metric -> measurements of the models that have it.
        title: what was compared.
    """
    everything = [item for measurements in data.values() for item in measurements]
    return metric_panels(data, JET_METRICS, f"{title}: {sizes_of(everything)}", floor_handles())
