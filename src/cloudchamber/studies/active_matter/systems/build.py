"""The system that settings describe."""

from cloudchamber.studies.active_matter.system_settings import (
    DisksSettings,
    DrivenRingSettings,
    PairOnRingSettings,
    RotationSettings,
    SpringsSettings,
    SystemSettings,
    TrapSettings,
)
from cloudchamber.studies.active_matter.systems.disks import Disks
from cloudchamber.studies.active_matter.systems.driven_ring import DrivenRing
from cloudchamber.studies.active_matter.systems.pair_on_ring import PairOnRing
from cloudchamber.studies.active_matter.systems.rotation import Rotation
from cloudchamber.studies.active_matter.systems.springs import Springs
from cloudchamber.studies.active_matter.systems.system import System
from cloudchamber.studies.active_matter.systems.trap import Trap

__all__ = ["build_system"]


def build_system(settings: SystemSettings) -> System:
    """Return the system that the settings describe."""
    match settings:
        case TrapSettings():
            return Trap(settings)
        case RotationSettings():
            return Rotation(settings)
        case SpringsSettings():
            return Springs(settings)
        case DrivenRingSettings():
            return DrivenRing(settings)
        case PairOnRingSettings():
            return PairOnRing(settings)
        case DisksSettings():
            return Disks(settings)
