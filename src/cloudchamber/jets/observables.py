"""The observables of jets that samples are compared in."""

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.energy_correlation import d2, energy_correlations
from cloudchamber.jets.energy_flow import energy_flow_polynomials
from cloudchamber.jets.features import EFP_NAMES
from cloudchamber.jets.kinematics import SUM_DECIMALS, jet_kinematics, momenta
from cloudchamber.jets.n_subjettiness import subjettiness, subjettiness_ratio

__all__ = ["observe"]


def observe(clouds: Clouds) -> dict[str, np.ndarray]:
    """Return the observables of each jet, (N,) float64 each, named as in ``JET_FEATURES`` and
    ``EXTRA_FEATURES`` of :mod:`cloudchamber.jets.features`.

    ``jet_pt_rel`` is the transverse momentum of the sum of the particles in units of the jet pT that ``pt_rel`` refers
    to, rounded to ``SUM_DECIMALS``; it is one where no particle is missing and a model knows that all of them make up
    the jet. ``jet_pt`` and
    ``jet_mass`` are of the same sum in GeV, with the feature ``jet_pt`` of the cloud as the unit. ``multiplicity``
    counts the particles with a positive ``pt_rel``; the others count for nothing anywhere.
    ``tau21``, ``tau32`` and ``d2`` are defined in :mod:`cloudchamber.jets.n_subjettiness` and
    :mod:`cloudchamber.jets.energy_correlation`. ``jet_mass_rel`` is the mass in the unit of ``jet_pt_rel``, and
    ``efp_0`` to ``efp_35`` are the energy flow polynomials of :mod:`cloudchamber.jets.energy_flow`.

    Args:
        clouds: jets with the point columns ``pt_rel``, ``eta_rel`` and ``phi_rel`` and the feature ``jet_pt`` [GeV].

    Raises:
        InputError: the clouds lack a column, the jet_pt of a jet with particles is not positive, or an observable of
            some jet is not finite.
    """
    pt, eta, phi = momenta(clouds)
    jet_pt_rel, jet_mass_rel = jet_kinematics(pt, eta, phi)
    unit = clouds.feature("jet_pt").astype(np.float64)
    bad = np.count_nonzero(~(unit > 0) & (pt > 0).any(axis=1))
    if bad:
        raise InputError(f"jet_pt of {bad} of {len(clouds)} jets with particles is not positive")
    tau = subjettiness(pt, eta, phi)
    table = {
        "jet_mass": jet_mass_rel * unit,
        "jet_pt": jet_pt_rel * unit,
        "jet_pt_rel": np.round(jet_pt_rel, SUM_DECIMALS),
        "multiplicity": (pt > 0).sum(axis=1).astype(np.float64),
        "tau21": subjettiness_ratio(tau, 2),
        "tau32": subjettiness_ratio(tau, 3),
        "d2": d2(*energy_correlations(pt, eta, phi)),
        "jet_mass_rel": jet_mass_rel,
        **dict(zip(EFP_NAMES, energy_flow_polynomials(pt, eta, phi).T, strict=True)),
    }
    for name, values in table.items():
        bad = np.count_nonzero(~np.isfinite(values))
        if bad:
            raise InputError(f"{name} of {bad} of {len(clouds)} jets is not finite: particles far outside of any jet")
    return table
