"""Files of Delphes whose events have weights, and their clouds."""

from pathlib import Path
from typing import Any

import numpy as np
from root_files import random_towers, write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.ingestion import IngestionSettings

EVENTS = 60
JETS = {"kind": "reclustered", "jets_per_event": 3, "pt_window": [5.0, 1e5]}


def write_events(path: Path, rng: np.random.Generator, events: int = EVENTS, **leaves: np.ndarray) -> Path:
    """Write towers of random events with leaves of ``Event``, one value each."""
    of_events = {name: np.asarray(values, float)[:, None].tolist() for name, values in leaves.items()}
    collections = {"Tower": random_towers(rng, events)} | ({"Event": of_events} if leaves else {})
    return write_delphes(path, collections)


def ingested(files: list[Path], output: Path, **settings: Any) -> Clouds:
    """Return the clouds of files, which are written to ``output``."""
    chosen = {"clouds": JETS, "max_particles": 30, "step_size": "10 kB", **settings}
    ingest(files, IngestionSettings.model_validate(chosen), output)
    return read_clouds(output, weighted=True)
