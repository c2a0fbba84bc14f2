"""Jets as plain arrays or as clouds, and their observables."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.jets import energy_correlation, energy_flow, n_subjettiness
from cloudchamber.jets.coordinate_checks import CoordinateChecks
from cloudchamber.jets.kinematics import jet_kinematics, momenta
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.library.arrays import clouds_of
from cloudchamber.library.checks import finite, numbers, whole_number

__all__ = [
    "as_jets",
    "energy_correlations",
    "energy_flow_polynomials",
    "jet_mass",
    "jet_observables",
    "relative_jets",
    "subjettiness",
]

# Medians of fewer jets tell nothing of their coordinates and units.
_FEWEST_JETS = 20


def as_jets(jets: Any, name: str) -> Clouds:
    """Return jets as clouds in relative coordinates.

    Args:
        jets: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets. Of arrays, phi_rel
            beyond pi is moved by whole turns.
        name: of the argument, for errors.

    Raises:
        InputError: they are no jets, there are none, a particle is far outside, phi_rel is not in radians, or they have
            event weights.
    """
    if not isinstance(jets, Clouds):
        jets = clouds_of(jets, None, name)
    if not len(jets):
        raise InputError(f"{name}: is empty: there are no clouds")
    bad = np.count_nonzero(~np.isfinite(jets.points))
    if bad:
        raise InputError(f"{name}: {bad} of {jets.points.size} values of points are not finite")
    if jets.event_weight is not None:
        raise InputError(f"{name}: its jets have event weights; 'cloudchamber prepare' with event_weights: unweight")
    try:
        found = _relative(jets, name)
        # Refuses particles far outside, here where the name of the argument is known.
        momenta(found)
        return found
    except InputError as error:
        raise InputError(f"{name}: {error}") from error


def relative_jets(clouds: Clouds) -> Clouds:
    """Return jets with pt, eta and phi as jets with eta_rel, phi_rel and pt_rel, relative to jet_pt, jet_eta, jet_phi.

    Jets that are in these coordinates already are returned as they are, whatever other columns they have. A line says
    where the axes of arrays are not those of their particles, or pT or mass of the jets are in another unit.

    Raises:
        InputError: they are no clouds, have no such columns and features, a jet pT is not positive, or azimuths are in
            degrees.
    """
    if not isinstance(clouds, Clouds):
        raise InputError(f"clouds: is {type(clouds).__name__}, expected Clouds (clouds_from_arrays makes them)")
    return _relative(clouds, "clouds")


def _relative(clouds: Clouds, name: str) -> Clouds:
    """Return jets in relative coordinates; ``name`` of the argument is for the line."""
    there = {column.name for column in clouds.point_columns}
    if {column.name for column in RELATIVE_COLUMNS} <= there:
        return clouds
    found = replace(clouds, points=relative_points(clouds), point_columns=RELATIVE_COLUMNS)
    # Once they are relative, nothing tells what they were.
    checks = CoordinateChecks(clouds.meta)
    checks.add(clouds, found)
    if len(found) >= _FEWEST_JETS:
        try:
            checks.check()
        except InputError as error:
            sys.stderr.write(f"{name}: WARNING: {error}\n")
    return found


def jet_observables(jets: Any, jet_pt: Any = None) -> dict[str, np.ndarray]:
    """Return the observables of each jet, (N,) float64 each: what ``cloudchamber observe`` writes.

    These are jet_mass and jet_pt [GeV], jet_pt_rel, multiplicity, tau21, tau32, d2, jet_mass_rel and efp_0 to efp_35;
    docs/metrics.md defines them.

    Args:
        jets: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets.
        jet_pt: (N,) [GeV] the unit of pt_rel; by default the feature jet_pt of clouds, and 1 for arrays.

    Raises:
        InputError: the arrays are no jets, a jet_pt is not positive, or an observable is not finite.

    Example:
        >>> jets = np.array([[[0.5, 0.0, 50.0], [-0.5, 0.0, 50.0]]])
        >>> found = jet_observables(jets)
        >>> found["jet_mass"].round(2), found["multiplicity"]
        (array([52.11]), array([2.]))
    """
    clouds = as_jets(jets, "jets")
    if jet_pt is None and any(column.name == "jet_pt" for column in clouds.feature_columns):
        return observe(clouds)
    unit = np.ones(len(clouds)) if jet_pt is None else numbers(jet_pt, "jet_pt", (len(clouds),))
    if not (unit > 0).all():
        raise InputError(f"jet_pt: {np.count_nonzero(unit <= 0)} of {len(unit)} values are not positive")
    # Observables need no other feature.
    unit = unit.astype(np.float32)[:, None]
    return observe(replace(clouds, features=unit, feature_columns=(Column("jet_pt", "GeV"),)))


def jet_mass(jets: Any) -> np.ndarray:
    """Return the (N,) masses of jets, the sums of their massless particles, in the unit of pt_rel.

    Args:
        jets: as of :func:`jet_observables`, as are the errors.
    """
    return jet_kinematics(*momenta(as_jets(jets, "jets")))[1]


def subjettiness(jets: Any, n_axes: int = 3, betas: Sequence[float] = (1.0,), radius: float = 0.8) -> np.ndarray:
    """Return N-subjettiness tau_1 to tau_(n_axes), (N, n_axes, B), on exclusive-kT axes (arXiv 1011.2268).

    Args:
        jets: as of :func:`jet_observables`, as are the errors.
        n_axes: the largest number of axes.
        betas: B angular exponents, above zero.
        radius: R0 of the normalisation.
    """
    axes, scale = whole_number(n_axes, "n_axes", 1), finite(radius, "radius", above=0)
    exponents = numbers(betas, "betas", ("B",)).astype(np.float64)
    if not (exponents > 0).all():
        raise InputError(f"betas: {exponents.min()}, expected numbers above zero")
    return n_subjettiness.subjettiness_basis(*momenta(as_jets(jets, "jets")), scale, axes, exponents.tolist())


def energy_correlations(jets: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the normalised energy correlation functions e2 and e3, (N,) each (arXiv 1305.0007, beta = 1).

    Args:
        jets: as of :func:`jet_observables`, as are the errors.
    """
    return energy_correlation.energy_correlations(*momenta(as_jets(jets, "jets")))


def energy_flow_polynomials(jets: Any) -> np.ndarray:
    """Return the (N, 36) energy flow polynomials of up to four edges (arXiv 1712.07124), as docs/metrics.md orders.

    Args:
        jets: as of :func:`jet_observables`, as are the errors.
    """
    return energy_flow.energy_flow_polynomials(*momenta(as_jets(jets, "jets")))
