"""Whether files of results were made with the settings that stand in the table of the analysis.

One target alone may have been made anew with other settings, and the table of settings is none of its files.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.records.record import read_record
from cloudchamber.settings.base import Settings, parse

__all__ = ["of_other_settings"]


def of_other_settings(folder: Path, pipeline: Pipeline) -> Iterator[str]:
    """Yield the files of trainings, and the data and the summary, whose records say other settings or another seed.

    Files that are no longer there do not count: raw files may have been deleted.

    Args:
        folder: of the results, where it is now.
        pipeline: plan of the analysis by the table of its settings.

    Raises:
        InputError: a record cannot be read.
    """
    for path, settings, seed in _planned(pipeline):
        place = folder / Path(path).relative_to(pipeline.paths.results)
        record = read_record(place) if place.exists() else None
        if record is not None and not _agrees(record["arguments"], settings, seed):
            yield str(place)
    summary = folder / Path(pipeline.summary.table).relative_to(pipeline.paths.results)
    record = read_record(summary) if summary.exists() else None
    files = record["arguments"].get("files") if record else None
    wanted = {"scale": pipeline.settings.scale, "seed": pipeline.seed}
    if isinstance(files, Mapping) and {key: files.get(key) for key in wanted} != wanted:
        yield str(summary)


def _planned(pipeline: Pipeline) -> Iterator[tuple[str, Settings | None, int | None]]:
    """Yield files with the settings and the seed that their step is given."""
    settings, paths, seed = pipeline.settings, pipeline.paths, pipeline.seed
    for process in pipeline.sources.simulated_processes():
        yield from ((path, settings.processes[process], seed) for path in pipeline.sources.raw(process))
    for name, dataset in settings.datasets.items():
        yield paths.clouds(name), dataset.ingestion, None
        yield paths.prepared(name), dataset.preparation, seed
    for study in pipeline.studies.values():
        for training in study.trainings():
            yield f"{paths.results}/{training.folder}/weights.safetensors", training.settings, training.seed


def _agrees(arguments: Mapping[str, Any], settings: Settings | None, seed: int | None) -> bool:
    said = arguments.get("settings")
    if seed is not None and arguments.get("seed", seed) != seed:
        return False
    if settings is None or not isinstance(said, Mapping):
        return True
    try:
        # Keys that are younger than the files have their defaults.
        return bool(parse(type(settings), said) == settings)
    except SettingsError:
        return False
