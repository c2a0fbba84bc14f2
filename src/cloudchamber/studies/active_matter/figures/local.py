"""Local values of models, read for figures: at the largest drive of each ensemble."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from cloudchamber.settings.entries import entries
from cloudchamber.studies.active_matter.fields import Fields, read_fields
from cloudchamber.studies.active_matter.numbers_of_study import Names

__all__ = ["Local", "channel_label", "local_values"]


@final
@dataclass(frozen=True)
class Local:
    """Local values of one model on one ensemble.

    Attributes:
        model, ensemble: titles.
        drive: which one.
        home: whether the model was trained on the ensemble.
        fields: the values.
    """

    model: str
    ensemble: str
    drive: float
    home: bool
    fields: Fields

    @property
    def title(self) -> str:
        """What it is, for a panel."""
        return f"{self.ensemble}, drive {self.drive:g}"


def local_values(files: Mapping[str, Any]) -> Iterator[Local]:
    """Yield the local values of each model on each ensemble, at the largest drive there.

    Args:
        files: "fields", a list with "name", "title", "ensemble" and the path "fields", and the titles of ensembles.

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key is missing.
    """
    names = Names.of(files)
    for entry in entries(files, "fields", ("name", "title", "ensemble", "fields")):
        found = read_fields(entry["fields"])
        largest: dict[str, float] = {}
        for ensemble, drive in found:
            largest[ensemble] = max(drive, largest.get(ensemble, -np.inf))
        order = [name for name in names.ensembles if name in largest]
        for ensemble in order:
            drive = largest[ensemble]
            home = ensemble == entry["ensemble"]
            yield Local(entry["title"], names.ensembles[ensemble], drive, home, found[ensemble, drive])


def channel_label(name: str) -> str:
    """Return what a channel is called on an axis."""
    if name.startswith("g_"):
        return f"activity $g_{name[2:]}$"
    return f"position ${name}$"
