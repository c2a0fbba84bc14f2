"""Rows of the tables of profiles and of spectra, which figures are drawn from."""

from itertools import pairwise
from typing import Any

import numpy as np

from cloudchamber.studies.showers.measures import feature_edges, sample_of
from cloudchamber.studies.showers.observables import FEATURES, RADIAL_EDGES
from cloudchamber.studies.showers.settings import EvaluationSettings
from cloudchamber.studies.showers.shower_samples import ShowerSample

__all__ = ["profile_rows", "spectrum_rows"]


def profile_rows(sample: ShowerSample, dataset: str, layers: int) -> list[dict[str, Any]]:
    """Return the mean energy [MeV] of each layer and each ring, with the standard error of the mean."""
    rows = []
    kinds = {
        "longitudinal": (sample.observables.layer_energy, np.arange(layers + 1) - 0.5),
        "radial": (sample.observables.radial_energy, RADIAL_EDGES),
    }
    for kind, (energy, edges) in kinds.items():
        error = energy.std(axis=0, ddof=1) / np.sqrt(len(energy))
        for place, (low, high) in enumerate(pairwise(edges)):
            rows.append(
                {
                    "dataset": dataset,
                    "model": sample.name,
                    "sampler": sample.sampler,
                    "seed": sample.seed,
                    "profile": kind,
                    "low": float(low),
                    "high": float(high),
                    "value": float(energy[:, place].mean()),
                    "uncertainty": float(error[place]),
                    "n": len(energy),
                }
            )
    return rows


def spectrum_rows(
    truth: ShowerSample, sample: ShowerSample, dataset: str, settings: EvaluationSettings
) -> list[dict[str, Any]]:
    """Return the share of showers, or of hits, in bins of each feature; what lies beyond is in the last ones."""
    rows = []
    for feature in FEATURES:
        edges = feature_edges(truth.observables, feature, settings.bins)
        values = sample_of(sample.observables, feature)
        bins = len(edges) - 1
        place = np.clip(np.searchsorted(edges, values.values, side="right") - 1, 0, bins - 1)
        counts = np.bincount(values.jets * bins + place, minlength=values.n_jets * bins).reshape(-1, bins)
        total = max(int(counts.sum()), 1)
        shares = counts.sum(axis=0) / total
        # The spread between showers: hits of one shower are not independent.
        errors = np.sqrt(((counts - shares * counts.sum(axis=1, keepdims=True)) ** 2).sum(axis=0)) / total
        for number, (low, high) in enumerate(pairwise(edges)):
            rows.append(
                {
                    "dataset": dataset,
                    "model": sample.name,
                    "sampler": sample.sampler,
                    "seed": sample.seed,
                    "feature": feature,
                    "low": float(low),
                    "high": float(high),
                    "value": float(shares[number]),
                    "uncertainty": float(errors[number]),
                    "n": total,
                }
            )
    return rows
