"""The features of jets and particles that samples are compared in, and how they are written on axes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

__all__ = [
    "COMPARED_FEATURES",
    "EFP_NAMES",
    "EXTRA_FEATURES",
    "JET_FEATURES",
    "LABELS",
    "PARTICLE_FEATURES",
    "W1_EFP_NAMES",
    "Label",
]

JET_FEATURES = ("jet_mass", "jet_pt", "jet_pt_rel", "multiplicity", "tau21", "tau32", "d2")
PARTICLE_FEATURES = ("pt_rel", "eta_rel", "phi_rel")
COMPARED_FEATURES = (*JET_FEATURES, *PARTICLE_FEATURES)
# Energy flow polynomials of the graphs of :mod:`cloudchamber.jets.energy_flow`, in their order.
EFP_NAMES = tuple(f"efp_{number}" for number in range(36))
# The connected graphs of four vertices and four edges.
W1_EFP_NAMES = tuple(EFP_NAMES[number] for number in (12, 14, 15, 16, 17))
# What only distances of whole jets are made of: no figure or row of a table of their own.
EXTRA_FEATURES = ("jet_mass_rel", *EFP_NAMES)


@final
@dataclass(frozen=True)
class Label:
    """How a feature is written on an axis: LaTeX symbol and unit, "" for a number without one."""

    symbol: str
    unit: str = ""


LABELS: Mapping[str, Label] = {
    "jet_mass": Label(r"$m_\mathrm{jet}$", "GeV"),
    "jet_pt": Label(r"$p_\mathrm{T}^\mathrm{jet}$", "GeV"),
    "jet_pt_rel": Label(r"$|\sum \vec{p}_\mathrm{T}^\mathrm{\,rel}|$"),
    "multiplicity": Label(r"$N_\mathrm{particles}$"),
    "tau21": Label(r"$\tau_{21}$"),
    "tau32": Label(r"$\tau_{32}$"),
    "d2": Label(r"$D_2$"),
    "pt_rel": Label(r"$p_\mathrm{T}^\mathrm{rel}$"),
    "eta_rel": Label(r"$\eta^\mathrm{rel}$"),
    "phi_rel": Label(r"$\phi^\mathrm{rel}$", "rad"),
}
