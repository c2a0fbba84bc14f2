"""Figures and tables of the study by name: what makes each from its files."""

from collections.abc import Mapping

__all__ = ["FIGURES", "TABLES"]

_MODULES = "studies.jet_generation.figures"

FIGURES: Mapping[str, str] = {
    "jet_features": f"{_MODULES}.distributions:draw_jet_features",
    "particle_features": f"{_MODULES}.distributions:draw_particle_features",
    "substructure": f"{_MODULES}.distributions:draw_substructure",
    "jet_level": f"{_MODULES}.jet_level:draw_jet_level",
    "requested": f"{_MODULES}.requested:draw_requested",
    "conditioning": f"{_MODULES}.conditioning:draw_conditioning",
    "divergences": f"{_MODULES}.distances:draw_divergences",
    "wasserstein": f"{_MODULES}.distances:draw_wasserstein",
    "jet_metrics": f"{_MODULES}.jet_metrics:draw_jet_metrics",
    "log_posterior": f"{_MODULES}.log_posterior:draw_log_posterior",
    "confusion": f"{_MODULES}.log_posterior:draw_confusion",
    "cost": f"{_MODULES}.cost:draw_cost",
    "sampling_time": f"{_MODULES}.sampling_time:draw_sampling_time",
    "solver_scan": f"{_MODULES}.solver_quality:draw_solver_scan",
    "few_steps": f"{_MODULES}.few_steps:draw_few_steps",
    "ode_sde": f"{_MODULES}.solver_quality:draw_ode_sde",
    "average_images": f"{_MODULES}.average_images:draw_average_images",
    "cloud_gallery": f"{_MODULES}.gallery:draw_cloud_gallery",
    "histories": f"{_MODULES}.histories:draw_histories",
    "truncation": "data_checks.truncation:draw_truncation",
}
TABLES: Mapping[str, str] = {
    "divergences": "studies.jet_generation.tables.metrics:divergences",
    "wasserstein": "studies.jet_generation.tables.metrics:wasserstein",
    "jet_metrics": "studies.jet_generation.tables.metrics:jet_metrics",
    "log_posterior": "studies.jet_generation.tables.metrics:log_posterior",
    "cost": "studies.jet_generation.tables.cost:cost",
    "sampling_time": "studies.jet_generation.tables.cost:sampling_time",
    "solver_scan": "studies.jet_generation.tables.cost:solver_scan",
    "few_steps": "studies.jet_generation.tables.few_steps:few_steps",
}
