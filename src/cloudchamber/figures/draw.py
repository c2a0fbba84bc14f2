"""The step ``draw``: the figures by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds, read_clouds
from cloudchamber.data_checks.detector_response import detector_response, read_responses
from cloudchamber.data_checks.truncation import read_truncations, truncation
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.figures import style
from cloudchamber.figures.histories import GENERATION_PANELS, TAGGING_PANELS, histories, read_histories
from cloudchamber.figures.images import average_images, read_images
from cloudchamber.figures.inputs import read_csv, read_distributions
from cloudchamber.figures.measurements import read_measurements
from cloudchamber.jets.observables import JET_FEATURES, PARTICLE_FEATURES
from cloudchamber.metrics.divergence import KL_DIRECTION
from cloudchamber.settings.entries import entries, need
from cloudchamber.studies.jet_generation.figures import (
    conditioning,
    jet_metrics,
    metrics,
    requested,
    sampling_time,
    solver_quality,
)
from cloudchamber.studies.jet_generation.figures.distributions import feature_distributions
from cloudchamber.studies.jet_generation.figures.gallery import cloud_gallery, read_gallery
from cloudchamber.studies.jet_generation.figures.jet_level import jet_level, read_jet_level
from cloudchamber.studies.tagging.figures.performance import TAGGING_FIGURES
from cloudchamber.studies.tagging.figures.relevance import tagging_relevance
from cloudchamber.studies.tagging.figures.sample import tagging_images, tagging_jets

__all__ = ["FIGURES", "draw"]

_Files = Mapping[str, Any]
_FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
_COST_FEATURES = ("jet_mass", "jet_pt")


def draw(figure: str, files: _Files, pdf: Path, png: Path) -> None:
    """Draw one figure and write it as PDF and PNG.

    Args:
        figure: a name in ``FIGURES``.
        files: what it is drawn from; each figure names the keys it needs.
        pdf, png: where the files go.

    Raises:
        InputError: a file cannot be used.
        SettingsError: there is no such figure, or a key is missing.
        StorageError: an output cannot be written.
    """
    if figure not in FIGURES:
        raise SettingsError(f"no figure '{figure}' among {sorted(FIGURES)}")
    with style.applied():
        style.save(FIGURES[figure](files), pdf, png)


def _distributions(*features: str) -> Callable[[_Files], Figure]:
    return lambda files: feature_distributions(read_distributions(files, features), features)


def _divergences(files: _Files) -> Figure:
    return metrics.distances(
        read_measurements(files, "kl", _FEATURES), need(files, "title"), f"{KL_DIRECTION} [nat]", False
    )


def _wasserstein(files: _Files) -> Figure:
    label = "Wasserstein-1 distance to truth [unit of the feature]"
    return metrics.distances(read_measurements(files, "w1", _FEATURES), need(files, "title"), label, True)


def _log_posterior(files: _Files) -> Figure:
    with_truth, generated_only = (read_measurements(files, metric) for metric in ("nlp", "nlp_generated_only"))
    return metrics.log_posterior(with_truth, generated_only, need(files, "title"))


def _confusion(files: _Files) -> Figure:
    tables = []
    for entry in entries(files, "confusions", ("path",)):
        path = entry["path"]
        table = read_csv(path, ("class",)).set_index("class")
        if list(table.index) != list(table.columns):
            raise InputError(f"{path}: rows {list(table.index)} and columns {list(table.columns)} are not the same")
        tables.append(table.astype(float))
    titles = {entry["name"]: entry["title"] for entry in entries(files, "models", ("name", "title"))} | {
        "truth": "truth"
    }
    mean = pd.DataFrame(sum(tables) / len(tables))
    return metrics.confusion(mean, titles, need(files, "title"))


def _cost(files: _Files) -> Figure:
    quality = {feature: read_measurements(files, "kl", (feature,)) for feature in _COST_FEATURES}
    seconds, evaluations = (read_measurements(files, metric) for metric in ("seconds_per_jet", "evaluations_per_jet"))
    return metrics.cost(quality, seconds, evaluations, need(files, "title"))


def _conditioning(files: _Files) -> Figure:
    return conditioning.conditioning(conditioning.read_twins(files, "kl", _FEATURES), need(files, "title"))


def _scan(figure: Callable[[Sequence[solver_quality.SolverScan], str], Figure]) -> Callable[[_Files], Figure]:
    return lambda files: figure(solver_quality.read_scans(files), need(files, "title"))


def _histories(panels: Mapping[str, str]) -> Callable[[_Files], Figure]:
    return lambda files: histories(read_histories(files, panels), need(files, "title"), panels)


def _of_jets(figure: Callable[[Clouds, str], Figure], key: str) -> Callable[[_Files], Figure]:
    return lambda files: figure(read_clouds(need(files, key)), need(files, "title"))


FIGURES: Mapping[str, Callable[[_Files], Figure]] = {
    "jet_features": _distributions("jet_mass", "jet_pt", "jet_pt_rel", "multiplicity"),
    "particle_features": _distributions("pt_rel", "eta_rel", "phi_rel"),
    "substructure": _distributions("tau21", "tau32", "d2"),
    "divergences": _divergences,
    "wasserstein": _wasserstein,
    "log_posterior": _log_posterior,
    "confusion": _confusion,
    "cost": _cost,
    "jet_metrics": lambda files: jet_metrics.jet_metrics(jet_metrics.read_jet_metrics(files), need(files, "title")),
    "conditioning": _conditioning,
    "jet_level": lambda files: jet_level(read_jet_level(files)),
    "requested": lambda files: requested.requested(requested.read_requests(files), need(files, "title")),
    "solver_scan": _scan(solver_quality.solver_scan),
    "ode_sde": _scan(solver_quality.ode_sde),
    "sampling_time": lambda files: sampling_time.sampling_time(
        sampling_time.read_sampling_times(files), need(files, "title")
    ),
    "average_images": lambda files: average_images(read_images(files)),
    "cloud_gallery": lambda files: cloud_gallery(read_gallery(files)),
    "histories": _histories(GENERATION_PANELS),
    "detector_response": lambda files: detector_response(read_responses(files)),
    "truncation": lambda files: truncation(read_truncations(files)),
    **TAGGING_FIGURES,
    "tagging_jets": _of_jets(tagging_jets, "jets"),
    "tagging_images": _of_jets(tagging_images, "jets"),
    "tagging_relevance": _of_jets(tagging_relevance, "relevance"),
    "tagging_histories": _histories(TAGGING_PANELS),
}
