"""Jets after real Delphes, counted: what stands for the files where those are not.

The package holds a file of counts for each process of which this project has run Delphes, ``delphes_PROCESS.json``. It
says what was simulated and selected, so that nothing else is compared with it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudchamber.cloud_file import read_clouds
from cloudchamber.data_checks.tower_jets import FEATURES, edges_of, read_jets
from cloudchamber.errors import InputError
from cloudchamber.figures.histograms import histogram
from cloudchamber.settings.processes import ProcessSettings
from cloudchamber.storage import read_json, write_json

__all__ = ["count_jets", "stored_counts"]

# What of the settings of an ingestion decides which jets there are, and what of them is seen.
_SELECTION = ("clouds", "max_particles")


def count_jets(source: Path, observables: Path, settings: ProcessSettings, delphes: str, output: Path) -> None:
    """Count the jets of one file of real Delphes in bins of each feature and write the counts as JSON.

    Args:
        source: clouds, as ``ingest`` wrote them.
        observables: of these clouds.
        settings: the process of which the file is.
        delphes: version of Delphes and its card, in words.
        output: where the counts go.

    Raises:
        InputError: a file cannot be used, or the clouds do not say what they were ingested from.
        StorageError: the output cannot be written.
    """
    jets = read_jets(str(source), str(observables))
    provenance = read_clouds(source).meta.get("provenance", {})
    if not provenance.get("inputs") or not set(_SELECTION) <= set(provenance.get("settings", ())):
        raise InputError(f"{source}: does not say what it was ingested from; 'cloudchamber ingest' writes it")
    histograms = {name: histogram(sample, edges_of(name, sample)) for name, sample in jets.items()}
    content = {
        "physics": settings.physics,
        "selection": {key: provenance["settings"][key] for key in _SELECTION},
        "delphes": delphes,
        "files": {Path(path).name: sha256 for path, sha256 in provenance["inputs"].items()},
        "jets": jets["jet_pt"].n_jets,
        "histograms": {
            name: {"edges": item.edges.tolist(), "counts": item.counts.astype(int).tolist()}
            for name, item in histograms.items()
        },
    }
    write_json(output, content)


def stored_counts(process: str, folder: Path = Path(__file__).parent) -> Mapping[str, Any] | None:
    """Return the counts of a process that the package holds, or None.

    Raises:
        InputError: the file is damaged.
    """
    path = folder / f"delphes_{process}.json"
    if not path.is_file():
        return None
    content = read_json(path)
    if not isinstance(content, dict) or set(FEATURES) - set(content.get("histograms", ())):
        raise InputError(f"{path}: no counts of {', '.join(FEATURES)}")
    return content
