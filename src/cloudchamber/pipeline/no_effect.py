"""What a user writes that has no effect, though nothing about it is wrong: lines at the start of a run."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.pipeline.pipeline import Pipeline

__all__ = ["unread_settings", "without_effect"]

# Where others look for the settings of a workflow, as its standard layout has it.
_ELSEWHERE = ("config.yml", "config/config.yaml", "config/config.yml")
_RECIPE = ("network", "training")


def without_effect(config: Mapping[str, Any], whole: Mapping[str, Any], pipeline: Pipeline) -> list[str]:
    """Return a line for each data set, process or key of a recipe that the user says and nothing takes.

    Args:
        config: content of config.yaml and its overlays.
        whole: all layers together (:func:`cloudchamber.settings.layers.layered`).
        pipeline: the analysis.
    """
    return [
        *_unused(config, pipeline),
        *(line for study in pipeline.studies for line in _of_recipe(study, _at(config, study), _at(whole, study))),
    ]


def unread_settings(folder: Path, read: Sequence[str | Path]) -> list[str]:
    """Return a line for each file that looks like the settings of an analysis, and is read by nobody.

    Args:
        folder: that the analysis is run in.
        read: files of settings that are read. Where the user names some, or has config.yaml, others are not looked for.
    """
    if (folder / "config.yaml").exists() or len(read) > 1:
        return []
    return [
        f"{name}: settings are read from config.yaml of the folder, and from files of --configfile"
        for name in _ELSEWHERE
        if (folder / name).is_file()
    ]


def _unused(config: Mapping[str, Any], pipeline: Pipeline) -> Iterator[str]:
    studies = pipeline.studies.values()
    used = {name for study in studies for name in study.datasets()}
    prepared = {name for study in studies for name in study.prepared_datasets()}
    for name, dataset in _at(config, "datasets").items():
        if dataset is not None and name not in used:
            yield f"datasets.{name}: no study takes it"
        elif _at(_at(config, "datasets"), name).get("preparation") and name not in prepared:
            yield f"datasets.{name}.preparation: the studies that take it have settings of their own in place of this"
    for name, process in _at(config, "processes").items():
        if process is not None and name not in pipeline.sources.simulated_processes():
            yield f"processes.{name}: no data set of a study is of it"
    real = pipeline.sources.real_files()
    for name, path in _at(_at(config, "detector_response"), "real_files").items():
        if path is not None and real.get(name) is None:
            yield f"detector_response.real_files.{name}: no such file: {path}"


def _of_recipe(study: str, own: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each key of the user's recipe that no model takes which has one of its own below."""
    for part in _RECIPE:
        for key, value in _at(own, part).items():
            others = {
                name: _at(model, part)[key]
                for name, model in _at(whole, "models").items()
                if _same_kind(_at(model, part), _at(whole, part))
                and key not in _at(_at(_at(own, "models"), name), part)
                # The command line hands over texts.
                and str(_at(model, part).get(key, value)) != str(value)
            }
            if value is not None and others:
                said = ", ".join(f"{name} ({other})" for name, other in others.items())
                yield f"{study}.{part}.{key}: not of models with a value of their own: {said}"


def _same_kind(values: Mapping[str, Any], recipe: Mapping[str, Any]) -> bool:
    return values.get("kind") == recipe.get("kind")


def _at(values: Any, key: str) -> Mapping[str, Any]:
    found = values.get(key) if isinstance(values, Mapping) else None
    return found if isinstance(found, Mapping) else {}
