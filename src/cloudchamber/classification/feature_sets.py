"""Sets of high-level features of jets by name: jet mass and N-subjettiness variables."""

from collections.abc import Mapping

from cloudchamber.settings.tagging_sample import FeatureSet

__all__ = ["SUBJETTINESS", "feature_names"]

# Largest number of axes and angular exponents. The first is 16 variables, as many as the slides behind arXiv 2202.00723
# have; the second 135, as many as the paper has. Which ones those are was not readable.
SUBJETTINESS: Mapping[FeatureSet, tuple[int, tuple[float, ...]]] = {
    "standard": (8, (1.0, 2.0)),
    "basis": (45, (0.5, 1.0, 2.0)),
}


def feature_names(features: FeatureSet) -> tuple[str, ...]:
    """Return the names of the features: jet_mass, then tau1_beta1, tau1_beta2, tau2_beta1 and so on."""
    n_axes, betas = SUBJETTINESS[features]
    return ("jet_mass", *(f"tau{n}_beta{beta:g}" for n in range(1, n_axes + 1) for beta in betas))
