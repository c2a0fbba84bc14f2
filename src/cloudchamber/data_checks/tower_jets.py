"""Features of jets clustered from calorimeter towers, by which detectors are compared: their values and their bins."""

from collections.abc import Mapping

import numpy as np

from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.figures.histograms import bin_edges, integer_edges
from cloudchamber.jets.features import LABELS, Label
from cloudchamber.jets.observable_file import read_observables_of
from cloudchamber.metrics.resampling import Sample

__all__ = ["FEATURES", "edges_of", "read_jets"]

FEATURES: Mapping[str, Label] = {
    "jet_pt": Label(r"$p_\mathrm{T}^\mathrm{jet}$", "GeV"),
    "jet_mass": Label(r"$m_\mathrm{jet}$", "GeV"),
    "n_constituents": Label(r"$N_\mathrm{constituents}$"),
    "tau21": LABELS["tau21"],
    "tau32": LABELS["tau32"],
}
_OF_CLOUDS = ("jet_pt", "jet_mass", "n_constituents")


def read_jets(clouds: str, observables: str) -> dict[str, Sample]:
    """Read the features of the jets of one file of clouds and of that of their observables.

    Raises:
        InputError: a file cannot be used, or the two do not belong together.
    """
    jets = read_clouds(clouds)
    table, _ = read_observables_of(clouds, len(jets), observables)
    for name in set(FEATURES) - set(_OF_CLOUDS):
        if name not in table:
            raise InputError(f"{observables}: no '{name}' for the {len(jets)} jets of {clouds}")
    return {name: Sample.of_jets(jets.feature(name) if name in _OF_CLOUDS else table[name]) for name in FEATURES}


def edges_of(name: str, sample: Sample) -> np.ndarray:
    """Return the (K + 1,) edges of the bins of a feature, which one sample alone decides."""
    return integer_edges(sample, []) if name == "n_constituents" else bin_edges(sample, [])
