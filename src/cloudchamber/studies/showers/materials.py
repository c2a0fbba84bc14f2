"""What calorimeters are made of, and the one medium that a stack of thin plates looks like to a shower.

Constants of materials are those of the tables of atomic and nuclear properties of the Particle Data Group; formulas of
media and the critical energy those of Grindhammer and Peters (hep-ex/0001020, section 2 and appendix A.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

__all__ = ["IRON", "POLYSTYRENE", "SILICON", "TUNGSTEN", "Material", "Medium", "medium_of"]

# Scale energy of multiple scattering [MeV].
_SCALE_ENERGY = 21.2


@final
@dataclass(frozen=True)
class Material:
    """A material.

    Attributes:
        charge, mass: atomic number and mass; means by weight in a compound.
        density: [g/cm^3].
        radiation_length, interaction_length: [g/cm^2].
        ionisation: smallest energy loss of a particle [MeV cm^2/g].
        name: in the list of NIST, by which Geant4 knows it.
        elements: atomic numbers of its elements.
    """

    charge: float
    mass: float
    density: float
    radiation_length: float
    interaction_length: float
    ionisation: float
    name: str
    elements: tuple[int, ...]

    @property
    def critical_energy(self) -> float:
        """Critical energy [MeV]: 2.66 (X0 Z / A)^1.1."""
        return float(2.66 * (self.radiation_length * self.charge / self.mass) ** 1.1)


TUNGSTEN = Material(74, 183.84, 19.3, 6.76, 191.9, 1.145, "G4_W", (74,))
SILICON = Material(14, 28.0855, 2.329, 21.82, 108.4, 1.664, "G4_Si", (14,))
IRON = Material(26, 55.845, 7.874, 13.84, 132.1, 1.451, "G4_Fe", (26,))
POLYSTYRENE = Material(5.61, 11.16, 1.06, 43.79, 81.7, 1.936, "G4_POLYSTYRENE", (1, 6))


@final
@dataclass(frozen=True)
class Medium:
    """A stack of an absorber and an active material as one medium.

    Attributes:
        charge: effective atomic number.
        radiation_length: [mm].
        interaction_length: [mm].
        moliere_radius: [mm], of the material alone: gaps of air widen a shower.
        critical_energy: [MeV].
        sampling_frequency: radiation lengths over the thickness of a layer.
        electron_response: e/mip, response to electrons over that to minimum ionising particles.
        mip_fraction: part of the energy that a minimum ionising particle leaves in the active material.
        mip_energy: [MeV] that it leaves in the active material of a layer at normal incidence.
    """

    charge: float
    radiation_length: float
    interaction_length: float
    moliere_radius: float
    critical_energy: float
    sampling_frequency: float
    electron_response: float
    mip_fraction: float
    mip_energy: float


def medium_of(absorber: Material, absorber_mm: float, active: Material, active_mm: float) -> Medium:
    """Return the effective medium of a layer of two plates, whose thicknesses are in mm.

    Example:
        >>> medium = medium_of(TUNGSTEN, 2.1, SILICON, 0.525)
        >>> round(medium.charge, 1), round(medium.radiation_length, 2), round(medium.moliere_radius, 1)
        (72.2, 4.34, 11.1)
    """
    plates: Sequence[tuple[Material, float]] = ((absorber, absorber_mm / 10), (active, active_mm / 10))
    grams = [thickness * material.density for material, thickness in plates]
    weights = [gram / sum(grams) for gram in grams]
    thickness = (absorber_mm + active_mm) / 10
    density = sum(grams) / thickness
    per_length = density * sum(
        weight / material.radiation_length for weight, (material, _) in zip(weights, plates, strict=True)
    )
    radiated = density * sum(
        weight * material.critical_energy / material.radiation_length
        for weight, (material, _) in zip(weights, plates, strict=True)
    )
    interacting = density * sum(
        weight / material.interaction_length for weight, (material, _) in zip(weights, plates, strict=True)
    )
    left = [gram * material.ionisation for gram, (material, _) in zip(grams, plates, strict=True)]
    return Medium(
        charge=sum(weight * material.charge for weight, (material, _) in zip(weights, plates, strict=True)),
        radiation_length=10 / per_length,
        interaction_length=10 / interacting,
        moliere_radius=10 * _SCALE_ENERGY / radiated,
        critical_energy=radiated / per_length,
        sampling_frequency=1 / (per_length * thickness),
        electron_response=1 / (1 + 0.007 * (absorber.charge - active.charge)),
        mip_fraction=left[1] / sum(left),
        mip_energy=left[1],
    )
