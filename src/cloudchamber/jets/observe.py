"""The step ``observe``: observables of a file of clouds."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from cloudchamber.cloud_file import CloudFile, open_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.coordinate_checks import CoordinateChecks
from cloudchamber.jets.observable_file import create_observables
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.storage import provenance

__all__ = ["observe_file"]

# So many jets at a time: numbers of particles and of observables are in double precision.
_JETS = 65_536


def observe_file(source: Path, output: Path) -> None:
    """Write the observables of each jet of a cloud file, in the order of the file.

    Jets in absolute coordinates (pt, eta, phi) are brought to relative ones first. Memory does not grow with their
    number.

    A warning says where jets of arrays, which nobody has looked at, are in other coordinates or units.

    Raises:
        InputError: the clouds are not jets, or azimuths are in degrees.
    """
    meta = {"provenance": provenance("observe", {}, [source])}
    with open_clouds(source, weighted=True) as clouds, create_observables(output, len(clouds), meta) as writer:
        for table in _tables(clouds):
            writer.append(table)


def _tables(file: CloudFile) -> Iterator[dict[str, np.ndarray]]:
    """Yield the observables of the jets of each piece."""
    absolute = "pt_rel" not in [column.name for column in file.point_columns]
    checks = CoordinateChecks(file.meta)
    for start, piece in file.pieces():
        clouds = piece
        if absolute:
            clouds = replace(piece, points=relative_points(piece), point_columns=RELATIVE_COLUMNS)
        try:
            checks.add(piece, clouds)
        except InputError as error:
            raise InputError(f"{file.path}: {error}") from error
        for first in range(0, max(len(clouds), 1), _JETS):
            try:
                yield observe(clouds[first : first + _JETS])
            except InputError as error:
                stop = min(start + first + _JETS, len(file))
                where = f" (jets {start + first} to {stop - 1})" if len(file) > _JETS else ""
                raise InputError(f"{file.path}: {error}{where}") from error
    try:
        checks.check()
    except InputError as error:
        # A sample of a bad model may be far from jets too.
        sys.stderr.write(f"observe: WARNING: {file.path}: {error}\n")
