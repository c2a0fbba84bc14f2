"""Clouds from files of events."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.ingestion import ingest as ingest_files
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings

__all__ = ["ingest"]


def ingest(files: str | Path | Sequence[str | Path], *, output: str | Path | None = None, **settings: Any) -> Clouds:
    """Return the jets or events of Delphes files as clouds: the step ``cloudchamber ingest``.

    Args:
        files: ROOT files, or wildcards; with ``layout`` also NanoAOD and HepMC.
        output: cloud file to write; by default none is kept.
        settings: of the ingestion (docs/settings), at least ``clouds`` and ``max_particles``, as in
            ``clouds={"kind": "reclustered", "radius": 0.8}, max_particles=30``.

    Raises:
        InputError: a file, a branch or a value cannot be used; the message names it.
        SettingsError: a setting is unknown, missing or wrong.
        StorageError: the output cannot be written.
    """
    chosen = parse(IngestionSettings, settings, "ingest")
    paths: Any = [files] if isinstance(files, str | Path) else files
    if not isinstance(paths, Sequence) or not paths or not all(isinstance(path, str | Path) for path in paths):
        raise InputError(f"files: {files!r}, expected a file, a wildcard or several")
    with ExitStack() as stack:
        if output is None:
            output = Path(stack.enter_context(TemporaryDirectory(prefix="cloudchamber_"))) / "clouds.h5"
        ingest_files(list(paths), chosen, Path(output))
        return read_clouds(output, weighted=True)
