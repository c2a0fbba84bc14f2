"""Settings of the tagging study: sets of features, seeds of the learning curve, and its scales."""

import re
from pathlib import Path
from typing import Any

import pytest

from cloudchamber.analysis import settings_of
from cloudchamber.classification.jobs import ClassificationJobs
from cloudchamber.classification.plan import ClassificationPlan
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.paths import Paths
from cloudchamber.settings.base import parse, read_yaml
from cloudchamber.studies.tagging.settings import TaggingSettings

ROOT = Path(__file__).parents[3]
DENSE = {"kind": "dense", "hidden": [4]}
LOOP = {"steps": 2, "batch_size": 2}
SETTINGS: dict[str, Any] = {
    "classes": {"1": {"title": "one", "dataset": "a"}, "2": {"title": "two", "dataset": "b"}},
    "seeds": [1, 2],
    "models": {"dense": {"title": "d", "network": DENSE, "training": LOOP}},
    "learning_curve": {"jets_per_class": [10, 20], "seeds": [2]},
}


def analysis(scale: str) -> Any:
    return settings_of({**read_yaml(ROOT / "config.yaml"), "scale": scale}, ROOT)


def test_the_learning_curve_may_have_fewer_seeds() -> None:
    plan = ClassificationPlan("tagging", parse(TaggingSettings, SETTINGS), Paths("results"))
    folders = [re.sub(".*/models/", "", training.folder) for training in plan.trainings()]
    assert folders == ["dense/all/seed1", "dense/all/seed2", "dense/10/seed2", "dense/20/seed2"]
    assert [path.split("models/")[1] for path in ClassificationJobs(plan).evaluation_inputs(None)] == [
        f"{folder}/scores.h5" for folder in folders
    ]
    by_default = parse(TaggingSettings, {**SETTINGS, "learning_curve": {"jets_per_class": [10]}})
    assert by_default.learning_seeds_of("dense") == (1, 2)


def test_features_that_are_not_made_are_refused() -> None:
    models = {"dense": {"title": "d", "network": {**DENSE, "features": "basis"}, "training": LOOP}}
    with pytest.raises(SettingsError, match=r"models\.dense\.network\.features: 'basis' needs high_level\.features"):
        parse(TaggingSettings, {**SETTINGS, "models": models})
    made = {**SETTINGS, "models": models, "high_level": {"features": "basis"}}
    assert parse(TaggingSettings, made).models["dense"].network.features == "basis"


def test_the_large_scale_adds_networks_to_the_standard_one() -> None:
    """So that it can take over jets and trainings: what both have must be the same."""
    standard, large = analysis("standard"), analysis("large")
    assert large.studies == ("tagging",)
    assert set(large.tagging.models) - set(standard.tagging.models) == {"macaron", "particle_net"}
    of_both = {name: large.tagging.models[name] for name in standard.tagging.models}
    assert of_both == standard.tagging.models
    assert large.tagging.model_copy(update={"models": of_both}) == standard.tagging
    assert {name: standard.processes[name] for name in large.processes} == large.processes
    assert {name: standard.datasets[name] for name in large.datasets} == large.datasets


def test_the_standard_scale_has_the_jets_that_it_says() -> None:
    """20,000 of each class to train with, 3,000 to 5,000 to test, as far as shares of events tell."""
    sample = analysis("standard").tagging.sample
    split = sample.split
    assert sample.jets_per_class * split.train >= 20_200
    assert 3000 < sample.jets_per_class * (1 - split.train - split.validation) < 5000
