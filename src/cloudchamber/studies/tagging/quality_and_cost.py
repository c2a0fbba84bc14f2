"""What taggers are judged by: measures of their quality and their cost, as figures and tables call them."""

from collections.abc import Mapping

from cloudchamber.figures.metric import Metric

__all__ = ["COST_LABELS", "QUALITY"]

QUALITY: Mapping[str, Metric] = {
    "accuracy": Metric("accuracy", "linear", "higher"),
    "auc": Metric("AUC, mean of the classes", "linear", "higher"),
    "rejection": Metric("rejection at 50 % efficiency", "log", "higher"),
    "calibration_error": Metric("calibration error", "log", "lower"),
}
COST_LABELS: Mapping[str, str] = {
    "parameters": "parameters",
    "flops_per_jet": "FLOPs per jet (one inference)",
    "training_seconds_per_jet": "training time per jet and step [s]",
    "inference_seconds_per_jet": "inference time per jet [s]",
}
