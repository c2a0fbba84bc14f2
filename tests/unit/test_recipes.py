"""Recipes: what a study says once reaches each model that says nothing else, and no other."""

import copy
import re
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import settings_of
from cloudchamber.errors import SettingsError
from cloudchamber.settings.generators import TrainedModel
from cloudchamber.settings.recipes import with_recipe

RECIPE: dict[str, Any] = {
    "network": {"kind": "epic", "layers": 4, "hidden": 64},
    "training": {"steps": 9, "batch_size": 8},
}


def filled(model: Any, **recipe: Any) -> Any:
    """Return one model with the recipe of its study."""
    return with_recipe("one", {**RECIPE, **recipe, "models": {"model": model}})["models"]["model"]


def test_a_model_takes_what_it_does_not_say() -> None:
    assert filled({"title": "a"}) == {"title": "a", **RECIPE}
    assert filled({"kind": "trained"}) == {"kind": "trained", **RECIPE}


def test_a_models_own_keys_count_first() -> None:
    made = filled({"network": {"layers": 2}, "training": {"steps": 3, "keep": "best"}})
    assert made["network"] == {"kind": "epic", "layers": 2, "hidden": 64}
    assert made["training"] == {"steps": 3, "batch_size": 8, "keep": "best"}


def test_a_network_of_another_kind_takes_nothing() -> None:
    made = filled({"network": {"kind": "transformer", "heads": 2}})
    assert made["network"] == {"kind": "transformer", "heads": 2}
    assert made["training"] == RECIPE["training"]
    assert filled({"network": {"kind": "epic", "latent": 3}})["network"] == {**RECIPE["network"], "latent": 3}


def test_models_that_are_not_trained_have_no_recipe() -> None:
    marginals = {"kind": "marginals", "title": "independent particles"}
    assert filled(marginals) == marginals


def test_a_part_that_the_recipe_does_not_have_is_left_to_the_model() -> None:
    made = with_recipe("one", {"training": {"steps": 1}, "models": {"a": {"network": {"layers": 2}}, "b": {}}})[
        "models"
    ]
    assert made == {"a": {"network": {"layers": 2}, "training": {"steps": 1}}, "b": {"training": {"steps": 1}}}
    without = {"models": {"a": {"network": {"layers": 2}}}}
    assert with_recipe("one", without) == without


def test_neither_the_recipe_nor_a_model_is_changed() -> None:
    own = {"training": {"steps": 3}}
    values = {**copy.deepcopy(RECIPE), "models": {"a": own, "b": own, "c": {}}}
    before = copy.deepcopy(values)
    made = with_recipe("one", values)["models"]
    assert values == before
    assert made["a"]["training"] == made["b"]["training"] == {"steps": 3, "batch_size": 8}
    assert made["c"]["training"] == RECIPE["training"]


@pytest.mark.parametrize("values", [None, 3, "text", [], {"models": 3}, {"models": None}, {**RECIPE, "models": [1]}])
def test_what_is_no_study_is_left_to_the_check_of_the_settings(values: Any) -> None:
    assert with_recipe("one", values) == values


@pytest.mark.parametrize("model", [None, 3, [1], {"network": 3}, {"training": [1]}])
def test_models_and_parts_of_another_kind_are_left_to_the_check_of_the_settings(model: Any) -> None:
    made = filled(model)
    if isinstance(model, dict):
        assert {part: made[part] for part in model} == model
    else:
        assert made == model


def _settings(**changes: Any) -> Any:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    return settings_of({**config, **changes}, REPOSITORY)


def test_the_recipe_of_the_user_reaches_all_models_of_a_study_and_no_other_study() -> None:
    default = _settings()
    made = _settings(jet_generation={"training": {"weight_decay": 0.125}})
    for name, model in made.jet_generation.models.items():
        if isinstance(model, TrainedModel):
            before = default.jet_generation.models[name].training
            assert model.training == before.model_copy(update={"weight_decay": 0.125})
    assert made.tagging == default.tagging
    # Other trainings of the study are no models.
    assert made.jet_generation.log_posterior == default.jet_generation.log_posterior


def test_a_recipe_survives_a_second_reading() -> None:
    """Commands read the settings again that a table or a rule was given."""
    made = _settings(tagging={"models": {"pfn": {"training": {"steps": 7}}}})
    again = type(made).model_validate(made.model_dump(mode="json"))
    assert again == made
    assert again.tagging.models["pfn"].training.steps == 7


@pytest.mark.parametrize(
    ("study", "part", "key"),
    [
        ("jet_generation", "training", "learning_rat"),
        ("jet_generation", "network", "layer"),
        ("tagging", "training", "stepz"),
    ],
)
def test_a_fault_of_the_recipe_is_named_with_its_part(study: str, part: str, key: str) -> None:
    with pytest.raises(SettingsError, match=rf"{study}\.(models\.\w+\.)?{part}\.{key}: no such key") as caught:
        _settings(**{study: {part: {key: 3}}})
    # No key is named that nobody could write.
    for fault in re.split("; (?!did you mean)", str(caught.value).removeprefix("configuration: ")):
        assert f".{part}.{key}: " in fault


def test_what_is_null_goes_back_to_the_recipe() -> None:
    made = filled({"network": None, "training": {"steps": None, "batch_size": 3}})
    assert made == {"network": RECIPE["network"], "training": {"steps": 9, "batch_size": 3}}


def test_a_recipe_without_its_kind_of_network_is_refused() -> None:
    """It would be taken by no model, and nobody would notice."""
    with pytest.raises(SettingsError, match=r"^one\.network: a recipe needs the kind"):
        filled({}, network={"layers": 2})
