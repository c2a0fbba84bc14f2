"""Recipes: what a study says once of the network and the training of all its models."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.settings.base import merged, without_nulls

__all__ = ["with_recipe"]

_RECIPE = ("network", "training")


def with_recipe(values: Any) -> Any:
    """Return the settings of a study with its recipe in each model that says nothing else.

    A model's own keys count before those of the recipe. A network of another kind takes nothing from that of the
    recipe. Models that are not trained have no recipe.

    Args:
        values: "models" by name, and "network" and "training" of the recipe, where there are any.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("models"), Mapping):
        return values
    recipe = {part: values[part] for part in _RECIPE if isinstance(values.get(part), Mapping)}
    return {**values, "models": {name: _filled(model, recipe) for name, model in values["models"].items()}}


def _filled(model: Any, recipe: Mapping[str, Mapping[str, Any]]) -> Any:
    if not isinstance(model, Mapping) or model.get("kind", "trained") != "trained":
        return model
    filled = dict(model)
    for part, shared in recipe.items():
        own = model.get(part, {})
        if isinstance(own, Mapping) and own.get("kind", shared.get("kind")) == shared.get("kind"):
            # A key that is null goes back to what the recipe says.
            filled[part] = merged(shared, without_nulls(own))
    return filled
