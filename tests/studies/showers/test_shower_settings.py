"""Settings of the study of showers that cannot be meant are refused, with the key."""

from typing import Any

import pytest

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import parse
from cloudchamber.studies.showers.settings import ShowersSettings

TRAIN = {"steps": 1}
NETWORK = {"kind": "allshowers"}
MODEL = {"kind": "trained", "title": "a", "network": NETWORK, "training": TRAIN, "samplers": {"one": {}}}
MAP = {
    "kind": "flow_map",
    "title": "b",
    "trajectories": 5,
    "training": TRAIN,
    "samplers": {"one": {"solver": "flow_map", "evaluations": 1}},
}
GIVEN = {
    "source": {"kind": "parametrised", "gun": {"species": ["photon"], "energy": [1, 2], "showers": 10}},
    "seeds": [1],
    "counts": {"training": TRAIN},
    "judge": {"features": {"training": TRAIN}},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"models": {}}, "models"),
        ({"models": {"truth": MODEL}}, "models.truth: the name is taken"),
        ({"models": {"m": {**MAP, "teacher": "a"}}}, "models.m.teacher: 'a' is no trained model"),
        (
            {"models": {"a": {**MODEL, "samplers": {"one": {"solver": "flow_map"}}}}},
            "flow maps, and they alone, take flow_map",
        ),
        ({"models": {"a": {**MODEL, "network": {**NETWORK, "heads": 3}}}}, "width must be a multiple of the 3 heads"),
        ({"models": {"a": MODEL, "m": {**MAP, "teacher": "a", "segments": 6}}}, "segments must be a power of two"),
        ({"models": {"a": {**MODEL, "ablates": "a"}}}, "models.a.ablates: 'a' is no other trained model"),
        ({"models": {"a": MODEL, "b": {**MODEL, "ablates": "c"}}}, "models.b.ablates: 'c' is no other trained model"),
        ({"ingestion": {"train": 0.9, "validation": 0.2}}, "leave nothing for the test"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_wrong_settings_are_named(change: dict[str, Any], message: str) -> None:
    values = {**GIVEN, "models": {"a": MODEL}}
    made = parse(ShowersSettings, values)
    assert made.trained("a", ()).network.window == 2
    with pytest.raises(SettingsError, match=message):
        parse(ShowersSettings, values | change)
