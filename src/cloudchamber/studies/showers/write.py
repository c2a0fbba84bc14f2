"""The step from a file of showers to published HDF5 layouts."""

from pathlib import Path
from typing import Literal

from cloudchamber.errors import InputError
from cloudchamber.studies.showers.calo_challenge import write_calo_challenge
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.shower_file import geometry_in, open_showers
from cloudchamber.studies.showers.showerdata_file import write_showerdata

__all__ = ["write"]


def write(source: Path, layout: Literal["showerdata", "calo_challenge"], binning: str, output: Path) -> None:
    """Write all showers of a file in a layout that others read.

    Args:
        source: file of showers.
        layout: of the package showerdata, or of CaloChallenge, whose files hold neither species nor directions.
        binning: of CaloChallenge: which data set's voxels.
        output: HDF5 file.

    Raises:
        InputError: the showers cannot be used, or have other layers than the layout.
        StorageError: the file cannot be written.
    """
    with open_showers(source) as showers:
        if layout == "showerdata":
            write_showerdata(showers, output)
            return
        if geometry_in(showers).name != geometry_of("calo_challenge").name:
            raise InputError(f"{source}: geometry '{geometry_in(showers).name}', CaloChallenge has 'calo_challenge'")
        write_calo_challenge(showers, binning, output)
