"""The systems of the reference numbers, for the tests of active matter."""

from typing import Any

from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.system_settings import EnsembleSettings, SystemSettings
from cloudchamber.studies.active_matter.systems.build import build_system
from cloudchamber.studies.active_matter.systems.system import System

__all__ = ["BOX", "PAIR", "SPRINGS", "TRAP", "TRAPPED_DISKS", "ensemble", "system"]

TRAP: dict[str, Any] = {"kind": "trap", "stiffness": 1.0, "rate": 0.5, "diffusion": 0.2}
SPRINGS: dict[str, Any] = {
    "kind": "springs",
    "particles": 8,
    "stiffness": 0.5,
    "coupling": 2.4,
    "rate": 0.4,
    "diffusion": 0.25,
}
PAIR: dict[str, Any] = {"kind": "pair_on_ring", "rate": 0.1, "diffusion": 0.1}
TRAPPED_DISKS: dict[str, Any] = {
    "kind": "disks",
    "particles": 12,
    "strength": 2.5,
    "stiffness": 0.05,
    "rate": 0.1,
    "diffusion": 0.1,
}
BOX: dict[str, Any] = {
    "kind": "disks",
    "particles": 300,
    "strength": 1.0,
    "packing_fraction": 0.5,
    "rate": 0.01,
    "diffusion": 0.0,
}


def system(values: dict[str, Any], **changes: Any) -> System:
    return build_system(parse(SystemSettings, {**values, **changes}))


def ensemble(values: dict[str, Any], **changes: Any) -> EnsembleSettings:
    chosen = {
        "title": "test",
        "system": values,
        "drives": [1.0],
        "trajectories": 200,
        "step": 0.05,
        "burn_in": 5.0,
        "spacing": 2.0,
        "snapshots": 5,
    }
    return parse(EnsembleSettings, {**chosen, **changes})
