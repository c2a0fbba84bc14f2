"""cloudchamber: deep learning on particle clouds, from raw ROOT files to figures.

The names in ``__all__`` are the public interface (``docs/library.md``). Each is imported when it is first used, so that
``import cloudchamber`` imports nothing else, torch least of all.

Example:
    >>> import cloudchamber as cc
    >>> jets = [[[0.1, 0.0, 0.6], [-0.1, 0.0, 0.4]], [[0.0, 0.2, 1.0], [0.0, 0.0, 0.0]]]
    >>> cc.jet_observables(jets)["multiplicity"]
    array([2., 1.])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudchamber.cloud import Clouds, Column
    from cloudchamber.cloud_file import read_clouds
    from cloudchamber.cloud_writer import write_clouds
    from cloudchamber.errors import CloudchamberError, InputError, SettingsError
    from cloudchamber.library.arrays import clouds_from_arrays, clouds_from_awkward
    from cloudchamber.library.distances import fpd, kl, kpd, w1, w1efp, w1m, w1p
    from cloudchamber.library.files import ingest
    from cloudchamber.library.jets import (
        energy_correlations,
        energy_flow_polynomials,
        jet_mass,
        jet_observables,
        relative_jets,
        subjettiness,
    )
    from cloudchamber.library.measurement import Measurement
    from cloudchamber.library.models import load_model
    from cloudchamber.library.networks import NETWORKS, build_network
    from cloudchamber.library.posterior import LogPosterior, nlp
    from cloudchamber.library.whole_jets import compare, coverage, duplicates, energy_mover, memorisation, mmd

__all__ = [
    "NETWORKS",
    "CloudchamberError",
    "Clouds",
    "Column",
    "InputError",
    "LogPosterior",
    "Measurement",
    "SettingsError",
    "__version__",
    "build_network",
    "clouds_from_arrays",
    "clouds_from_awkward",
    "compare",
    "coverage",
    "duplicates",
    "energy_correlations",
    "energy_flow_polynomials",
    "energy_mover",
    "fpd",
    "ingest",
    "jet_mass",
    "jet_observables",
    "kl",
    "kpd",
    "load_model",
    "memorisation",
    "mmd",
    "nlp",
    "read_clouds",
    "relative_jets",
    "subjettiness",
    "w1",
    "w1efp",
    "w1m",
    "w1p",
    "write_clouds",
]

__version__ = "0.1.0"

# Where each name is; the imports above say the same to type checkers and editors.
_MODULES = {
    "cloud": ("Clouds", "Column"),
    "cloud_file": ("read_clouds",),
    "cloud_writer": ("write_clouds",),
    "errors": ("CloudchamberError", "InputError", "SettingsError"),
    "library.arrays": ("clouds_from_arrays", "clouds_from_awkward"),
    "library.distances": ("fpd", "kl", "kpd", "w1", "w1efp", "w1m", "w1p"),
    "library.files": ("ingest",),
    "library.jets": (
        *("energy_correlations", "energy_flow_polynomials", "jet_mass", "jet_observables"),
        *("relative_jets", "subjettiness"),
    ),
    "library.measurement": ("Measurement",),
    "library.models": ("load_model",),
    "library.networks": ("NETWORKS", "build_network"),
    "library.posterior": ("LogPosterior", "nlp"),
    "library.whole_jets": ("compare", "coverage", "duplicates", "energy_mover", "memorisation", "mmd"),
}


def __getattr__(name: str) -> Any:
    for module, names in _MODULES.items():
        if name in names:
            value = getattr(import_module(f"{__name__}.{module}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
