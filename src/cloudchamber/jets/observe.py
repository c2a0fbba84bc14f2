"""The step ``observe``: observables of a file of clouds."""

from dataclasses import replace
from pathlib import Path

from cloudchamber.cloud_file import read_clouds
from cloudchamber.jets.observable_file import write_observables
from cloudchamber.jets.observables import observe
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points
from cloudchamber.storage import provenance

__all__ = ["observe_file"]


def observe_file(source: Path, output: Path) -> None:
    """Write the observables of each jet of a cloud file, in the order of the file.

    Jets in absolute coordinates (pt, eta, phi) are brought to relative ones first.

    Raises:
        InputError: the clouds are not jets.
    """
    clouds = read_clouds(source, weighted=True)
    if "pt_rel" not in [column.name for column in clouds.point_columns]:
        clouds = replace(clouds, points=relative_points(clouds), point_columns=RELATIVE_COLUMNS)
    write_observables(output, observe(clouds), {"provenance": provenance("observe", {}, [source])})
