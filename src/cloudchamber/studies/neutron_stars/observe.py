"""The step from curves to sets of observed stars: tensors of the study."""

from dataclasses import replace
from pathlib import Path

from cloudchamber import seeds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.storage import provenance
from cloudchamber.studies.neutron_stars.curve_file import read_curves
from cloudchamber.studies.neutron_stars.settings import StarSettings
from cloudchamber.studies.neutron_stars.star_sets import draw_sets

__all__ = ["observe"]


def observe(curves: Path, settings: StarSettings, seed: int, output: Path) -> None:
    """Write one set of observed stars for each equation of state and condition, with noise that stays as it is.

    Args:
        curves: made by ``solve``.
        settings: numbers of stars and noise.
        seed: of masses and noise.
        output: clouds of stars.

    Raises:
        InputError: the curves cannot be used.
        StorageError: the file cannot be written.
    """
    drawn = draw_sets(read_curves(curves), settings.conditions, seeds.generator(seed, "neutron_stars", "stars"))
    record = provenance("neutron_stars observe", settings.model_dump(mode="json"), [curves], seed)
    write_clouds(output, replace(drawn, meta={**drawn.meta, "provenance": record}))
