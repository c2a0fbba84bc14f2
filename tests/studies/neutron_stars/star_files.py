"""A small box of curves and sets of stars that several tests of the study read."""

from pathlib import Path

from cloudchamber.studies.neutron_stars.observe import observe
from cloudchamber.studies.neutron_stars.settings import Condition, CurveSettings, Noise, StarSettings
from cloudchamber.studies.neutron_stars.solve import solve

__all__ = ["CURVES", "REFERENCE", "STARS", "write_stars"]

NOISE = (Noise(mass=0.1, radius=0.5), Noise(mass=0.1, radius=1.0))
REFERENCE = Condition(stars=3, noise=NOISE[0])
STARS = StarSettings(numbers=(1, 3), noise=NOISE, reference=REFERENCE)
CURVES = CurveSettings(train=400, validation=20, test=150, grid=(24, 12), points=32, steps=32)


def write_stars(folder: Path) -> Path:
    """Write curves.h5, grid.h5 and stars.h5, and return the folder."""
    solve(CURVES, 1, folder / "curves.h5", folder / "grid.h5")
    observe(folder / "curves.h5", STARS, 1, folder / "stars.h5")
    return folder
