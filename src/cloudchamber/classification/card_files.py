"""What the cards of the taggers of a study are written from."""

from typing import Any

from cloudchamber.classification.plan import ALL_JETS, ClassificationPlan
from cloudchamber.pipeline.card import trainings_of_card
from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.settings.shared import SharedSettings

__all__ = ["card_files"]


def card_files(plan: ClassificationPlan, model: str, analysis: SharedSettings) -> dict[str, Any]:
    """Return the files of the card of one tagger, all seeds of its training with all jets together.

    Args:
        plan: the taggers of the study.
        model: name of the tagger in the plan.
        analysis: processes and data sets, which say where the jets come from.
    """
    settings = plan.settings
    datasets = list(dict.fromkeys(item.dataset for item in settings.classes.values()))
    sources = DataSources(analysis, datasets)
    trainings = {seed: plan.training_folder(model, ALL_JETS, seed) for seed in settings.seeds_of(model)}
    return {
        "study": plan.study,
        "dataset": "all",
        "dataset_title": settings.title,
        "origin": "; ".join(dict.fromkeys(map(sources.of_dataset, datasets))),
        "simulated": all(map(sources.simulated, datasets)),
        "name": model,
        "title": settings.models[model].title,
        "prepared": plan.jets,
        "high_level": plan.features(model),
        "metrics": plan.tables["metrics"],
        "samplers": {},
        "trainings": trainings_of_card(trainings),
    }
