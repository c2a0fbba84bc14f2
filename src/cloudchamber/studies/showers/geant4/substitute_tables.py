"""The step ``geant4-tables``: files for Geant4 in place of the official data sets of low-energy cross sections."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cloudchamber.storage import provenance, write_text
from cloudchamber.studies.showers.geant4.cross_sections import (
    ELEMENTS,
    Element,
    bremsstrahlung,
    neutron_capture,
    neutron_elastic,
    neutron_inelastic,
)
from cloudchamber.studies.showers.geant4.data_folder import (
    ELECTROMAGNETIC,
    FORMAT,
    NEUTRONS,
    STATES,
    geant4_package,
    version_of,
)
from cloudchamber.studies.showers.geometry import geometry_of

__all__ = ["make_tables"]

# Hydrogen is what Geant4's vacuum is made of.
_VACUUM = 1
_HEAVIEST = 92
# Nodes of bremsstrahlung: kinetic energies [MeV], and the energy of the photon over these.
_ELECTRONS = np.logspace(-3, 4, 71)
_SHARES = np.array(
    [0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08, *np.arange(0.1, 0.96, 0.05), 0.97, 0.98, 0.99, 0.995, 1.0]
)
# [MeV]. Geant4 looks a bin up by the logarithm of the energy, so that these are equally far apart in it.
_PHOTONS = np.logspace(-4, 5, 541)
_NEUTRONS = np.logspace(-11, 8, 381)
_CAPTURED = np.logspace(-11, np.log10(20.0), 124)
# [mm^2]
_MILLIBARN, _BARN = 1e-25, 1e-22
# [MeV] from which on the package would use a fitted formula in place of the table.
_NEVER = 1e9


def make_tables(geometry: str, output: Path) -> None:
    """Write the files that Geant4 needs for the elements of a stack, as one file of JSON: "files", place -> content.

    Bremsstrahlung below 1 GeV, the photoelectric effect (coefficients that are compiled into Geant4), neutrons, and an
    empty list of nuclear states. What Geant4 does with them is transport with substitute low-energy tables, and no
    reference.

    Args:
        geometry: name of the stack of layers.
        output: the file.

    Raises:
        InputError: the package is not installed.
        StorageError: the file cannot be written.
    """
    with TemporaryDirectory(prefix="cloudchamber_") as empty:
        package = geant4_package(Path(empty))
        files = dict(_files(package, _elements(geometry)))
        content = {
            "format": FORMAT,
            "geometry": geometry,
            "geant4": version_of(package),
            "provenance": provenance("showers geant4-tables", {"geometry": geometry}, [], 0),
            "files": files,
        }
    write_text(output, json.dumps(content, indent=1) + "\n")


def _elements(geometry: str) -> list[Element]:
    materials = {material for plates in geometry_of(geometry).plates for material in (plates.absorber, plates.active)}
    charges = {_VACUUM, *(charge for material in materials for charge in material.elements)}
    return [ELEMENTS[charge] for charge in sorted(charges)]


def _files(package: Any, elements: Sequence[Element]) -> Iterator[tuple[str, str]]:
    """Yield places and contents."""
    yield f"{STATES}/ENSDFSTATE.dat", ""
    for element in elements:
        charge = element.charge
        scaled = bremsstrahlung(charge, _ELECTRONS[:, None], _SHARES)
        yield f"{ELECTROMAGNETIC}/brem_SB/br{charge}", _surface(_SHARES, np.log(_ELECTRONS), scaled)
        folder = f"{ELECTROMAGNETIC}/epics2017/phot"
        yield f"{folder}/pe-cs-{charge}.dat", _curve(_PHOTONS, _photoelectric(package, charge))
        # One shell, whose binding energy is the lowest of the table: the electron takes nearly all of the energy.
        one_shell = f"1 1 {_NEVER:g}\n{_PHOTONS[0]:g} 0 0 0 0 0 0\n"
        yield f"{folder}/pe-high-{charge}.dat", one_shell
        yield f"{folder}/pe-low-{charge}.dat", one_shell
        for name, energy, function in (
            ("inel", _NEUTRONS, neutron_inelastic),
            ("el", _NEUTRONS, neutron_elastic),
            ("cap", _CAPTURED, neutron_capture),
        ):
            yield f"{NEUTRONS}/neutron/{name}{charge}", _curve(energy, _MILLIBARN * function(element, energy))
    # Geant4 opens tables of neutrons for all elements; of those that no plate has they are empty.
    for charge in set(range(1, _HEAVIEST + 1)) - {element.charge for element in elements}:
        for name in ("inel", "el", "cap"):
            yield f"{NEUTRONS}/neutron/{name}{charge}", _curve(_NEUTRONS[[0, -1]], np.zeros(2))


def _photoelectric(package: Any, charge: int) -> np.ndarray:
    """Return the (E,) photoelectric cross section [barn] times the third power of the energy [MeV] at the nodes."""
    # The table of coefficients is empty before there is a material.
    material = package.G4NistManager.Instance().FindOrBuildSimpleMaterial(charge)
    table, found = material.GetSandiaTable(), package.G4doubleVector([0.0] * 4)
    values = []
    for energy in _PHOTONS.tolist():
        table.GetSandiaCofPerAtom(charge, energy, found)
        values.append(sum(value / energy ** (power + 1) for power, value in enumerate(found)))
    return np.array(values) / _BARN * _PHOTONS**3


def _curve(energy: np.ndarray, values: np.ndarray) -> str:
    """Return a G4PhysicsVector as text: lowest and highest energy, number of nodes, twice, and the nodes."""
    nodes = "".join(f"{x:.12g} {y:.9g}\n" for x, y in zip(energy.tolist(), values.tolist(), strict=True))
    return f"{energy[0]:.12g} {energy[-1]:.12g} {len(energy)}\n{len(energy)}\n{nodes}"


def _surface(x: np.ndarray, y: np.ndarray, values: np.ndarray) -> str:
    """Return a G4Physics2DVector as text: type, numbers of nodes, nodes of x and y, (Y, X) values."""
    lines = [f"0 {len(x)} {len(y)}", *(" ".join(f"{value:.9g}" for value in row) for row in (x, y, *values))]
    return "\n".join(lines) + "\n"
