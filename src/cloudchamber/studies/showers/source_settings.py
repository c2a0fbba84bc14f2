"""Settings of where showers come from and of how they are read."""

from typing import Annotated, Literal, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Fraction, PositiveFloat, PositiveInt, Settings, Window
from cloudchamber.studies.showers.names import SpeciesName
from cloudchamber.studies.showers.species import LEAST_KINETIC_ENERGY, SPECIES

__all__ = ["FileSource", "Geant4Source", "GunSettings", "IngestionSettings", "ParametrisedSource", "ShowerSource"]


@final
class GunSettings(Settings):
    """Which particles begin showers: one each, into the middle of the surface of the stack."""

    species: Annotated[tuple[SpeciesName, ...], Field(min_length=1), Different] = Field(
        description="species, in equal numbers"
    )
    energy: Window = Field(description="lowest and highest total energy [GeV]")
    spectrum: Literal["uniform", "logarithmic"] = Field("uniform", description="uniform in the energy or its logarithm")
    theta_max: Annotated[float, Field(ge=0, lt=80)] = Field(
        0.0, description="directions are uniform in a cap up to this angle from the normal [degrees]"
    )
    showers: PositiveInt = Field(description="of all species together")
    shards: PositiveInt = Field(1, description="files, each made by a job of its own")

    @model_validator(mode="after")
    def _energies_are_above_masses(self) -> Self:
        for name in self.species:
            least = SPECIES[name].mass + LEAST_KINETIC_ENERGY
            if self.energy[0] < least:
                raise ValueError(
                    f"energy: {self.energy[0]:g} GeV; a {name.replace('_', ' ')} has a total energy of {least:.3g} GeV "
                    "or more"
                )
        return self


@final
class ParametrisedSource(Settings):
    """Showers of the parametrisation of this study, whose truth is known."""

    kind: Literal["parametrised"]
    gun: GunSettings

    @property
    def words(self) -> str:
        """What figures call the showers."""
        return "parametrised showers"


@final
class Geant4Source(Settings):
    """Showers that Geant4 simulates in the stack; it comes with the extra "geant4" and downloads nothing by itself."""

    kind: Literal["geant4"]
    gun: GunSettings
    tables: Literal["substitute", "official"] = Field(
        "substitute",
        description="low-energy cross sections: tables of this study, or the official data sets in data_folder",
    )
    data_folder: str | None = Field(None, description="folder in which the official data sets lie, such as G4EMLOW8.8")
    range_cut: PositiveFloat = Field(0.7, description="secondary particles of a shorter range are not followed [mm]")

    @model_validator(mode="after")
    def _official_data_have_a_folder(self) -> Self:
        if (self.tables == "official") != (self.data_folder is not None):
            raise ValueError("data_folder: official tables, and they alone, lie in a folder")
        return self

    @property
    def words(self) -> str:
        """What figures call the showers."""
        tables = "substitute low-energy tables" if self.tables == "substitute" else "its official data sets"
        return f"Geant4 11.4 with {tables}"


@final
class FileSource(Settings):
    """Showers that are there."""

    kind: Literal["files"]
    layout: Literal["edm4hep", "showerdata", "calo_challenge", "calo_clouds"] = Field(
        description="EDM4hep in ROOT; HDF5 of the package showerdata, of CaloChallenge, of CaloClouds and CaloHadronic"
    )
    title: str = Field(description="what figures call them")
    files: Annotated[tuple[str, ...], Field(min_length=1)]
    pdg: int | None = Field(None, description="PDG code of all showers, for layouts that have none")
    binning: Literal["1_photons", "1_pions", "2", "3"] | None = Field(
        None, description="CaloChallenge: which data set's voxels"
    )
    within_voxels: Literal["centre", "uniform"] = Field(
        "uniform", description="CaloChallenge: where in its voxel a point lies"
    )

    @property
    def words(self) -> str:
        """What figures call the showers."""
        return self.title

    @model_validator(mode="after")
    def _layout_has_what_it_needs(self) -> Self:
        if self.layout == "calo_challenge" and self.binning not in ("2", "3"):
            raise ValueError("binning: showers of CaloChallenge are read from its data sets 2 and 3")
        if self.layout in ("calo_challenge", "calo_clouds") and self.pdg is None:
            raise ValueError(f"pdg: files of {self.layout} do not say what began the showers")
        return self


ShowerSource = Annotated[ParametrisedSource | Geant4Source | FileSource, Field(discriminator="kind")]


@final
class IngestionSettings(Settings):
    """How steps of particles become points of showers."""

    collections: Annotated[tuple[str, ...], Field(min_length=1), Different] = Field(
        ("EcalBarrelCollection", "HcalBarrelCollection"),
        description="EDM4hep: collections of calorimeter hits whose contributions are read",
    )
    depth_axis: Literal["x", "y", "z"] = Field(
        "z", description="EDM4hep: axis of the file along which the layers follow each other; the two others follow it "
        "in cyclic order"
    )  # fmt: skip
    half_width: PositiveFloat = Field(450.0, description="steps further from the axis in x or y are left out [mm]")
    merge: PositiveFloat = Field(1.0, description="steps in squares of this width become one point [mm]")
    threshold: Annotated[float, Field(ge=0)] = Field(
        0.01, description="least energy of a point [MeV]; of CaloChallenge that of a voxel, as the file has it"
    )
    train: Fraction = Field(0.6, description="share of the showers that models are trained with")
    validation: Fraction = Field(0.05, description="share on which the loss of trainings is watched")

    @model_validator(mode="after")
    def _something_is_left(self) -> Self:
        if self.train + self.validation >= 1:
            raise ValueError("train and validation leave nothing for the test")
        return self
