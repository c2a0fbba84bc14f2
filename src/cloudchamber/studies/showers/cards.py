"""Which model cards the study has, and what each is written from."""

from collections.abc import Iterator
from typing import Any

from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.studies.showers.model_settings import FlowMapModel, ShowerModel
from cloudchamber.studies.showers.plan import ShowersPlan, trained
from cloudchamber.studies.showers.source_settings import FileSource

__all__ = ["cards"]

_COUNTS = "counts"


def cards(plan: ShowersPlan, study: str) -> Iterator[Card]:
    """Yield the card of each network, all seeds together; that of the numbers of points where something is drawn
    with it."""
    settings, shown = plan.settings, None
    for name in plan.trained_models():
        model = settings.models[name]
        assert isinstance(model, ShowerModel | FlowMapModel), "nothing else is trained"
        for sampler, item in model.samplers.items():
            if shown is None and item.counts == "model":
                shown = {"model": name, "sampler": sampler}
        seeds = settings.seeds_of(name)
        for species in plan.species(name):
            folders = {seed: plan.training(name, seed, species) for seed in seeds}
            files = {
                **_files(plan, study, name, model.title, folders),
                "species": species,
                "samplers": {key: item.model_dump(mode="json") for key, item in model.samplers.items()},
                "counts": trained(plan.counts(seeds[0])),
            }
            card = "_".join([name, *species])
            yield Card("showers/points", study, card, {"model": card}, files)
    if shown is not None:
        folders = {seed: plan.counts(seed) for seed in settings.seeds_of(shown["model"])}
        files = {**_files(plan, study, _COUNTS, "PointCountFM", folders), "shown": shown}
        yield Card("showers/counts", study, _COUNTS, {"model": _COUNTS}, files)


def _files(plan: ShowersPlan, study: str, name: str, title: str, folders: dict[int, str]) -> dict[str, Any]:
    source = plan.settings.source
    return {
        "study": study,
        "dataset": "all",
        "dataset_title": f"{plan.settings.title} ({source.words})",
        "origin": source.words,
        "simulated": not isinstance(source, FileSource),
        "name": name,
        "title": title,
        "showers": plan.showers,
        "metrics": plan.tables["metrics"],
        "trainings": trainings_of_card(folders),
    }
