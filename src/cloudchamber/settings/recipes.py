"""Recipes: what a study says once of the network and the training of all its models."""

from collections.abc import Mapping
from typing import Any

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import merged, without_nulls

__all__ = ["with_recipe"]

_RECIPE = ("network", "training")
# What models of a kind take from it.
_OF_KIND: Mapping[str, tuple[str, ...]] = {"trained": _RECIPE, "flow_map": ("training",)}


def with_recipe(study: str, values: Any) -> Any:
    """Return the settings of a study with its recipe in each model that says nothing else.

    A model's own keys count before those of the recipe, and a part that is null goes back to it. A network of another
    kind takes nothing from that of the recipe. Models that are not trained have no recipe, and a flow
    map, whose network is that of its teacher, has that of the training.

    Args:
        study: its name, for errors.
        values: "models" by name, and "network" and "training" of the recipe, where there are any.

    Raises:
        SettingsError: the network of the recipe does not say of what kind it is.
    """
    if not isinstance(values, Mapping) or not isinstance(values.get("models"), Mapping):
        return values
    recipe = {part: values[part] for part in _RECIPE if isinstance(values.get(part), Mapping)}
    if "network" in recipe and recipe["network"].get("kind") is None:
        raise SettingsError(f"{study}.network: a recipe needs the kind of the networks that it is for")
    return {**values, "models": {name: _filled(model, recipe) for name, model in values["models"].items()}}


def _filled(model: Any, recipe: Mapping[str, Mapping[str, Any]]) -> Any:
    parts = _OF_KIND.get(model.get("kind", "trained"), ()) if isinstance(model, Mapping) else ()
    filled = dict(model) if parts else model
    for part in parts:
        if part not in recipe:
            continue
        shared = recipe[part]
        own = {} if model.get(part) is None else model[part]
        if isinstance(own, Mapping) and own.get("kind") in (None, shared.get("kind")):
            filled[part] = merged(shared, without_nulls(own))
    return filled
