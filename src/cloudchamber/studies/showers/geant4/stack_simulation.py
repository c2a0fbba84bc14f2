"""The stack of layers in Geant4, and what showers leave in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cloudchamber.studies.showers.geometry import Geometry

__all__ = ["ShowerSteps", "StackSimulation"]

# Of a plate beyond what the steepest particle needs, and of the vacuum around all [mm].
_MARGIN = 1000.0
_VACUUM = "G4_Galactic"
_GEV = 1e3


@final
@dataclass(frozen=True)
class ShowerSteps:
    """Steps of one shower in active material.

    Attributes:
        position: (M, 3) float64 [mm]: the middle of a step, of a neutral particle its end.
        energy: (M,) [GeV] that was left, above zero.
        time: (M,) [ns] at the beginning of the step.
        pdg: (M,) int64 code of the particle that made it.
    """

    position: np.ndarray
    energy: np.ndarray
    time: np.ndarray
    pdg: np.ndarray


@final
class StackSimulation:
    """Geant4 with a stack of layers, ready to simulate showers. There can be one in a process.

    Plates are squares, wide enough for the steepest particle; between them is vacuum. Electromagnetic physics is
    "option 1", hadrons interact by FTFP and the Bertini cascade, stopped ones are absorbed, and neutrons are given up
    after 10 microseconds. There are no photonuclear interactions, no inelastic ones of light ions and no magnetic
    field. Energy is what is lost in the material: no Birks' law, no digitisation.

    Args:
        package: geant4_pybind.
        geometry: the stack.
        theta_max: largest angle of a particle to the normal [degrees].
        range_cut: of secondary particles [mm].
        seed: of Geant4's generator of random numbers.
    """

    def __init__(self, package: Any, geometry: Geometry, theta_max: float, range_cut: float, seed: int) -> None:
        if package.G4RunManager.GetRunManager() is not None:
            raise RuntimeError("a process can have one run manager of Geant4")
        self._package = package
        self._surface = geometry.surface
        package.G4Random.setTheSeed(seed)
        self._rows: list[tuple[float, ...]] = []
        self._manager = package.G4RunManagerFactory.CreateRunManager(package.G4RunManagerType.Serial)
        self._manager.SetVerboseLevel(0)
        self._manager.SetUserInitialization(_detector(package, geometry, theta_max, self._rows))
        self._manager.SetUserInitialization(_physics(package, range_cut))
        # The constructors of physics set these anew.
        package.G4EmParameters.Instance().SetVerbose(0)
        package.G4HadronicParameters.Instance().SetVerboseLevel(0)
        self._gun = package.G4ParticleGun(1)
        self._manager.SetUserAction(_generator(package, self._gun))
        self._manager.Initialize()

    def shower(self, pdg: int, energy: float, direction: Sequence[float]) -> ShowerSteps:
        """Simulate one particle that enters the stack at x = y = 0 of its surface.

        Args:
            pdg: its code.
            energy: total energy [GeV].
            direction: unit vector into the stack.
        """
        particle = self._package.G4ParticleTable.GetParticleTable().FindParticle(pdg)
        vector = self._package.G4ThreeVector
        self._gun.SetParticleDefinition(particle)
        self._gun.SetParticleEnergy(_GEV * energy - particle.GetPDGMass())
        self._gun.SetParticleMomentumDirection(vector(*direction))
        self._gun.SetParticlePosition(vector(0.0, 0.0, self._surface))
        self._rows.clear()
        self._manager.BeamOn(1)
        columns = np.array(self._rows, float).reshape(-1, 6)
        return ShowerSteps(columns[:, :3], columns[:, 3] / _GEV, columns[:, 4], columns[:, 5].astype(np.int64))


def _detector(package: Any, geometry: Geometry, theta_max: float, rows: list[tuple[float, ...]]) -> Any:
    """Return what builds the stack; its active layers append their steps to ``rows``."""
    behind = float(geometry.bottoms[-1]) + geometry.plates[-1].active_mm
    half_width = _MARGIN + (behind - geometry.surface) * float(np.tan(np.radians(theta_max)))
    nist = package.G4NistManager.Instance()

    class Layers(package.G4VSensitiveDetector):  # type: ignore[misc]
        def ProcessHits(self, step: Any, history: Any) -> bool:  # noqa: N802
            energy = step.GetTotalEnergyDeposit()
            if energy <= 0:
                return False
            before, after = step.GetPreStepPoint(), step.GetPostStepPoint()
            definition = step.GetTrack().GetDefinition()
            place = after.GetPosition()
            if definition.GetPDGCharge():
                place = (before.GetPosition() + place) * 0.5
            time, pdg = before.GetGlobalTime(), definition.GetPDGEncoding()
            rows.append((place.x, place.y, place.z, energy, time, pdg))
            return True

    class Stack(package.G4VUserDetectorConstruction):  # type: ignore[misc]
        def Construct(self) -> Any:  # noqa: N802
            vector = package.G4ThreeVector
            solid = package.G4Box("world", half_width + _MARGIN, half_width + _MARGIN, behind + _MARGIN)
            world = package.G4LogicalVolume(solid, nist.FindOrBuildMaterial(_VACUUM), "world")
            placed = package.G4PVPlacement(None, vector(), world, "world", None, False, 0, False)
            self.active: list[Any] = []
            # Plates are placed by copies of one volume for each material and thickness.
            volumes: dict[tuple[str, float, bool], Any] = {}
            for layer, (bottom, plates) in enumerate(zip(geometry.bottoms.tolist(), geometry.plates, strict=True)):
                for material, width, middle, active in (
                    (plates.absorber, plates.absorber_mm, bottom - 0.5 * plates.absorber_mm, False),
                    (plates.active, plates.active_mm, bottom + 0.5 * plates.active_mm, True),
                ):
                    key = (material.name, width, active)
                    if key not in volumes:
                        box = package.G4Box(material.name, half_width, half_width, 0.5 * width)
                        found = nist.FindOrBuildMaterial(material.name)
                        volumes[key] = package.G4LogicalVolume(box, found, f"{material.name}, {width:g} mm")
                        self.active += [volumes[key]] if active else []
                    package.G4PVPlacement(
                        None, vector(0.0, 0.0, middle), volumes[key], material.name, world, False, layer, False
                    )
            return placed

        def ConstructSDandField(self) -> None:  # noqa: N802
            layers = Layers("layers")
            package.G4SDManager.GetSDMpointer().AddNewDetector(layers)
            for volume in self.active:
                self.SetSensitiveDetector(volume, layers)

    return Stack()


def _physics(package: Any, range_cut: float) -> Any:
    physics = package.G4VModularPhysicsList()
    for part in (
        package.G4EmStandardPhysics_option1(),
        package.G4DecayPhysics(),
        package.G4HadronElasticPhysics(),
        package.G4HadronPhysicsFTFP_BERT(),
        package.G4StoppingPhysics(),
        package.G4NeutronTrackingCut(),
    ):
        physics.RegisterPhysics(part)
    physics.SetVerboseLevel(0)
    physics.SetDefaultCutValue(range_cut)
    return physics


def _generator(package: Any, gun: Any) -> Any:
    class Gun(package.G4VUserPrimaryGeneratorAction):  # type: ignore[misc]
        def GeneratePrimaries(self, event: Any) -> None:  # noqa: N802
            gun.GeneratePrimaryVertex(event)

    return Gun()
