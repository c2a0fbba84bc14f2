"""Untrained networks by name."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from cloudchamber.errors import InputError
from cloudchamber.settings.base import parse

if TYPE_CHECKING:
    from torch import nn

__all__ = ["NETWORKS", "build_network"]


def _generator(kind: str, options: Mapping[str, Any]) -> "nn.Module":
    from cloudchamber.generative.artifact import build_network as build
    from cloudchamber.settings.generators import GeneratorSettings

    network = {key: value for key, value in options.items() if key != "conditions"}
    # The loop and the objective do not change the network.
    objective = {"kind": "adversarial"} if kind == "epic_gan" else {"kind": "flow_matching"}
    settings = {
        "network": {"kind": kind, **network},
        "objective": objective,
        "conditions": options.get("conditions", ()),
        "training": {"steps": 1},
    }
    return build(parse(GeneratorSettings, settings, f"generator/{kind}"))


def _tagger(kind: str, options: Mapping[str, Any]) -> "nn.Module":
    from cloudchamber.classification.taggers import build_tagger
    from cloudchamber.settings.taggers import TaggerSettings

    given = dict(options)
    classes, features = given.pop("classes", None), tuple(given.pop("features", ()))
    if not isinstance(classes, int) or classes < 2:
        raise InputError(f"tagger/{kind}: classes: {classes}, expected how many there are, two at least")
    settings = parse(TaggerSettings, {"network": {"kind": kind, **given}, "training": {"steps": 1}}, f"tagger/{kind}")
    if kind == "dense" and not features:
        raise InputError("tagger/dense: features: expected the names of the numbers that it takes of each jet")
    return build_tagger(settings.network, classes, features)


def _assignment(kind: str, options: Mapping[str, Any]) -> "nn.Module":
    from cloudchamber.studies.assignment.network import AssignmentNetwork
    from cloudchamber.studies.assignment.network_settings import AssignmentNetworkSettings
    from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR

    return AssignmentNetwork(
        parse(AssignmentNetworkSettings, {"kind": kind, **options}, f"assignment/{kind}"), ALL_HADRONIC_TOP_PAIR
    )


def _showers(kind: str, options: Mapping[str, Any]) -> "nn.Module":
    from cloudchamber.studies.showers.allshowers import AllShowers
    from cloudchamber.studies.showers.model_settings import AllShowersNetwork

    given = dict(options)
    layers = given.pop("calorimeter_layers", None)
    if not isinstance(layers, int) or layers < 1:
        raise InputError(f"showers/{kind}: calorimeter_layers: {layers}, expected how many there are")
    return AllShowers(parse(AllShowersNetwork, {"kind": kind, **given}, f"showers/{kind}"), layers)


_Build = Callable[[str, Mapping[str, Any]], "nn.Module"]
_ROLES: Mapping[str, tuple[_Build, tuple[str, ...]]] = {
    "generator": (_generator, ("epic", "transformer", "epic_gan")),
    "tagger": (
        _tagger,
        ("dense", "particle_flow", "transformer", "particle_dynamics", "particle_net", "particle_transformer"),
    ),
    "assignment": (_assignment, ("spatter",)),
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
            of taggers ``classes``, and ``features`` of the dense one; of showers ``calorimeter_layers``.

    Raises:
        InputError: there is no such network, or the number of classes, features or layers is missing.
        SettingsError: an option is unknown or wrong.

    Example:
        >>> network = build_network("generator/epic", layers=2, hidden=16, conditions=["jet_pt"])
        >>> sum(parameter.numel() for parameter in network.parameters())
        10227
    """
    role, _, kind = name.partition("/")
    if name not in NETWORKS:
        raise InputError(f"no network '{name}' among {list(NETWORKS)}")
    return _ROLES[role][0](kind, options)
