"""Figures and tables of the analysis as a whole: its detector, its settings."""

from typing import Any, final

from cloudchamber.drawings import OVERVIEW_FIGURES, OVERVIEW_TABLES
from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.pipeline.drawing import Drawing
from cloudchamber.pipeline.paths import Paths, observables_of
from cloudchamber.settings.shared import SharedSettings

__all__ = ["Overview"]


@final
class Overview:
    """What the report shows beside the studies.

    Args:
        settings: of the whole analysis.
        sources: of its data.
    """

    def __init__(self, settings: SharedSettings, sources: DataSources) -> None:
        self._settings, self._sources = settings, sources
        self._paths = Paths(settings.results)

    def figures(self) -> list[Drawing]:
        """Return the figure of the detector, where the settings name a process to compare."""
        if not self._sources.real_files():
            return []
        entry = OVERVIEW_FIGURES["detector_response"]
        folder = f"{self._paths.results}/figures"
        return [
            Drawing("detector_response", entry, folder, lambda _: self._response_files(), "Data", self._paths.results)
        ]

    def tables(self) -> list[Drawing]:
        """Return the table of all settings."""
        settings = {"settings": self._settings.model_dump(mode="json")}
        folder = f"{self._paths.results}/tables"
        return [Drawing("settings", OVERVIEW_TABLES["settings"], folder, lambda _: settings, "Settings", None)]

    def _response_files(self) -> dict[str, Any]:
        """Return the clouds of own detector output and of real, where its file is there, and what both are of."""
        response = self._settings.detector_response
        assert response is not None, "the figure is left out without it"
        processes = []
        for process, file in self._sources.real_files().items():
            own, real = (
                {"clouds": clouds, "observables": observables_of(clouds)}
                for clouds in (self._paths.response(process, side) for side in ("own", "real"))
            )
            settings = self._settings.processes[process]
            sides = {"own": own, "real": real if file else None}
            compared = {"physics": settings.physics, "selection": response.selection}
            processes.append({"name": process, "title": settings.title, **sides, **compared})
        return {"processes": processes}
