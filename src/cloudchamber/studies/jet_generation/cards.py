"""What the model cards of the jet-generation study are written from."""

from collections.abc import Iterable
from typing import Any

from cloudchamber.generative.plan import GenerationPlan
from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.settings.jet_level import JET_FLOW
from cloudchamber.settings.shared import SharedSettings

__all__ = ["cards"]


def cards(plan: GenerationPlan, analysis: SharedSettings) -> Iterable[Card]:
    """Return the card of each trained model on each data set; the jet-level flow is a model too."""
    sources = DataSources(analysis, plan.settings.datasets)
    flow = [JET_FLOW] if plan.has_jet_flow else []
    for dataset in plan.settings.datasets:
        for model in [*plan.trained_models(), *flow]:
            folder = plan.folder(dataset).removeprefix(f"{plan.paths.results}/")
            labels = {"model": model, "data set": dataset}
            kind = "jet_flow" if model == JET_FLOW else "generator"
            yield Card(kind, folder, model, labels, _files(plan, analysis, sources, dataset, model))


def _files(
    plan: GenerationPlan, analysis: SharedSettings, sources: DataSources, dataset: str, model: str
) -> dict[str, Any]:
    flow = model == JET_FLOW
    trained = None if flow else plan.trained_models()[model]
    seeds = plan.jet_seeds() if flow else plan.settings.seeds_of(model)
    samplers = {} if trained is None else trained.samplers
    return {
        "study": plan.study,
        "dataset": dataset,
        "dataset_title": analysis.datasets[dataset].title,
        "origin": sources.of_dataset(dataset),
        "simulated": sources.simulated(dataset),
        "name": model,
        "title": "jet-level flow" if trained is None else trained.title,
        "prepared": plan.paths.prepared(dataset),
        "metrics": plan.metrics,
        "samplers": {name: sampler.model_dump(mode="json") for name, sampler in samplers.items()},
        "trainings": trainings_of_card({seed: plan.training_folder(dataset, model, seed) for seed in seeds}),
    }
