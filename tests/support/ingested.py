"""Files that become clouds."""

from pathlib import Path
from typing import Any

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.ingestion import IngestionSettings

__all__ = ["ingested"]


def ingested(
    files: Path | list[Path], output: Path, clouds: dict[str, Any], max_particles: int = 100, **settings: Any
) -> Clouds:
    """Ingest files into ``output`` and return the clouds, with their weights."""
    asked = IngestionSettings.model_validate({"clouds": clouds, "max_particles": max_particles, **settings})
    ingest(files if isinstance(files, list) else [files], asked, output)
    return read_clouds(output, weighted=True)
