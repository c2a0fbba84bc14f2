"""Metrics of jets as wholes: one number per model, each metric with its floor."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from cloudchamber.figures.dots import floor_handles
from cloudchamber.figures.measurements import Measurement
from cloudchamber.figures.metric_panels import metric_panels
from cloudchamber.figures.sample_sizes import sizes_of
from cloudchamber.settings.entries import need
from cloudchamber.studies.jet_generation.jet_metrics import JET_METRICS, read_jet_metrics

__all__ = ["draw_jet_metrics", "jet_metrics"]

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


def draw_jet_metrics(files: Mapping[str, Any]) -> Figure:
    """Draw the metrics of whole jets from the table of the study."""
    return jet_metrics(read_jet_metrics(files), need(files, "title"))


def jet_metrics(data: Mapping[str, Sequence[Measurement]], title: str) -> Figure:
    """Draw one panel per metric, one row per model and sampler.

    Args:
        data: metric -> measurements of the models that have it.
        title: what was compared.
    """
    everything = [item for measurements in data.values() for item in measurements]
    return metric_panels(data, JET_METRICS, f"{title}: {sizes_of(everything)}", floor_handles())
