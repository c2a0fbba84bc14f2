"""Metrics of jets as wholes: what each is called, and the measurements of those that there are."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.figures.measurements import Measurement, read_measurements
from cloudchamber.figures.metric import Metric
from cloudchamber.settings.entries import need

__all__ = ["JET_METRICS", "read_jet_metrics"]

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
