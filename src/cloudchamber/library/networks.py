"""Untrained networks by name."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import InputError
from cloudchamber.library.checks import numbers, whole_number
from cloudchamber.settings.base import parse

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "build_network"]

_LOOP = {"steps": 1}


def _generator(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.generative.artifact import build_network as build
    from cloudchamber.settings.generators import GeneratorSettings

    conditions = options.pop("conditions", ())
    # The loop and the objective do not change the network.
    objective = {"kind": "adversarial"} if kind == "epic_gan" else {"kind": "flow_matching"}
    whole = {"network": {"kind": kind, **options}, "objective": objective, "conditions": conditions, "training": _LOOP}
    return build(parse(GeneratorSettings, whole, name))


def _tagger(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.classification.taggers import build_tagger
    from cloudchamber.settings.taggers import TaggerSettings

    classes, named = _number(name, options, "classes", 2), options.pop("features", ())
    features = () if isinstance(named, str) or not isinstance(named, Sequence) else tuple(named)
    if (kind == "dense") != bool(features) or not all(isinstance(feature, str) for feature in features):
        expected = (
            "the names of the numbers that it takes of each jet" if kind == "dense" else "none: it takes particles"
        )
        raise InputError(f"{name}: features: {named!r}, expected {expected}")
    settings = parse(TaggerSettings, {"network": {"kind": kind, **options}, "training": _LOOP}, name)
    return build_tagger(settings.network, classes, features)


def _assignment(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.studies.assignment.network import AssignmentNetwork
    from cloudchamber.studies.assignment.network_settings import AssignmentNetworkSettings
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    settings = parse(AssignmentNetworkSettings, {"kind": kind, **options}, name)
    return AssignmentNetwork(settings, ALL_HADRONIC_TOP_PAIR)


def _neutrinos(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.studies.neutrinos.event_clouds import Window
    from cloudchamber.studies.neutrinos.network_settings import NeutrinoNetworkSettings
    from cloudchamber.studies.neutrinos.networks import build

    planes, cells, prongs = (_number(name, options, key, 1) for key in ("planes", "cells", "prongs"))
    # Where the vertex is and what a unit of energy is changes no network.
    window = Window(planes, cells, upstream=0, prongs=prongs, mip=1.0)
    return build(parse(NeutrinoNetworkSettings, {"kind": kind, **options}, name), window, (0, 0))


def _neutron_stars(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.studies.neutron_stars.network_settings import StarNetwork
    from cloudchamber.studies.neutron_stars.star_networks import build_network as build

    stars = _number(name, options, "stars", 1)
    return build(parse(StarNetwork, {"kind": kind, **options}, name), (stars,))


def _active_matter(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.studies.active_matter.score_model import ScoreModel
    from cloudchamber.studies.active_matter.score_settings import ScoreSettings
    from cloudchamber.studies.active_matter.system_settings import SystemSettings
    from cloudchamber.studies.active_matter.systems.build import build_system

    system = build_system(parse(SystemSettings, options.pop("system", {}), f"{name}: system"))
    drives = tuple(numbers(options.pop("drives", (1.0,)), f"{name}: drives", ("D",)).tolist())
    settings = parse(ScoreSettings, {"network": {"kind": kind, **options}, "training": _LOOP}, name)
    return ScoreModel(settings, system, (1.0,) * system.channels, drives)


def _showers(name: str, kind: str, options: dict[str, Any]) -> "nn.Module":
    from cloudchamber.studies.showers.allshowers import AllShowers
    from cloudchamber.studies.showers.model_settings import AllShowersNetwork

    layers = _number(name, options, "calorimeter_layers", 1)
    return AllShowers(parse(AllShowersNetwork, {"kind": kind, **options}, name), layers)


def _number(name: str, options: dict[str, Any], key: str, least: int) -> int:
    """Take a whole number out of options."""
    return whole_number(options.pop(key, None), f"{name}: {key}", least)


_Build = Callable[[str, str, dict[str, Any]], "nn.Module"]
_ROLES: Mapping[str, tuple[_Build, tuple[str, ...]]] = {
    "generator": (_generator, ("epic", "transformer", "epic_gan")),
    "tagger": (
        _tagger,
        ("dense", "particle_flow", "transformer", "particle_dynamics", "particle_net", "particle_transformer"),
    ),
    "assignment": (_assignment, ("spatter",)),
    "neutrinos": (_neutrinos, ("transformer_cvn", "point_set")),
    "neutron_stars": (_neutron_stars, ("sorted", "deep_set", "set_transformer", "likelihood", "ratio")),
    "active_matter": (_active_matter, ("mlp", "transformer")),
    "showers": (_showers, ("allshowers",)),
}
# Every name that there is.
NETWORKS: tuple[str, ...] = tuple(f"{role}/{kind}" for role, (_, kinds) in _ROLES.items() for kind in kinds)


def build_network(name: str, **options: Any) -> "nn.Module":
    """Return an untrained network, whose weights come from torch's own generator.

    Args:
        name: one of ``NETWORKS``, such as "generator/epic" or "tagger/particle_transformer". What the networks map is
            in docs/library.md.
        options: sizes, with the keys and defaults of ``network:`` in docs/settings. Of generators also ``conditions``;
            of taggers ``classes``, and ``features`` of the dense one; of neutrinos ``planes``, ``cells`` and
            ``prongs``; of neutron stars ``stars``, the most of a set; of active matter ``system`` and ``drives``, as in
            docs/settings; of showers ``calorimeter_layers``.

    Raises:
        InputError: there is no such network, one of these numbers is missing, or the features are no names.
        SettingsError: an option is unknown or wrong.

    Example:
        >>> network = build_network("generator/epic", layers=2, hidden=16, conditions=["jet_pt"])
        >>> sum(parameter.numel() for parameter in network.parameters())
        10227
    """
    if name not in NETWORKS:
        raise InputError(f"no network '{name}' among {list(NETWORKS)}")
    if "kind" in options:
        raise InputError(f"{name}: kind: the name says which network it is")
    role, _, kind = name.partition("/")
    return _ROLES[role][0](name, kind, options)
