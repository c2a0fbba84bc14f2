"""Settings with strange values and texts that are none: settings, or one line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from fuzzing import clean_or_refused, fuzzed
from hypothesis import given
from hypothesis import strategies as st
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES, AnalysisSettings, settings_of
from cloudchamber.cli import parser
from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import load
from cloudchamber.settings.generators import GeneratorSettings
from cloudchamber.settings.layers import layered

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*at, key))


def _replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    if not at:
        return new
    return {**value, at[0]: _replaced(value[at[0]], at[1:], new)}


_OWN = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
# With what the studies say below it.
_CONFIG = layered(_OWN, REPOSITORY, list(STUDIES))
# What makes keys and values of the text of an option.
_json_option = parser().parse_args(["data-table", "--files", "{}", "--output", "data.csv"]).conversions["files"]


@fuzzed
@given(st.sampled_from(list(_leaves(_CONFIG))), _json)
def test_settings_with_one_strange_value(at: tuple[Any, ...], value: Any) -> None:
    text = json.dumps(_replaced(_CONFIG, at, value))
    clean_or_refused(lambda: load(AnalysisSettings, text if text.startswith("{") else "{" + text))


@fuzzed
@given(st.sampled_from([*_OWN, *STUDIES, "results", "processes", "datasets", "detector_response"]), _json)
def test_a_configuration_with_one_strange_value(key: str, value: Any) -> None:
    clean_or_refused(lambda: settings_of({**_OWN, key: value}, REPOSITORY))


@pytest.mark.parametrize("scale", ["", "\0", "..", "../tiny", "a/b", pytest.param("x" * 300, id="long")])
def test_scales_that_no_file_can_have(scale: str) -> None:
    clean_or_refused(lambda: settings_of({**_OWN, "scale": scale}, REPOSITORY))


@fuzzed
@given(st.text(max_size=60))
def test_any_text_as_settings(text: str) -> None:
    clean_or_refused(lambda: load(GeneratorSettings, "{" + text))
    clean_or_refused(lambda: load(GeneratorSettings, text))
    clean_or_refused(lambda: _json_option(text, None))


@pytest.mark.parametrize(
    "text",
    [
        "{" * 5000,
        '{"a": ' * 3000 + "1" + "}" * 3000,
        "{a: &a {b: *a}}",
        "{a: 2001-99-99}",
        "{a: " + "9" * 5000 + "}",
        "{1: 2, [3]: 4}",
        "{? {a: b} : c}",
        "{!!python/object:os.system ls}",
        "\0",
        "x" * 5000,
        "{a: \x85\x01}",
    ],
)
def test_texts_that_are_hard_to_parse(text: str) -> None:
    with pytest.raises(SettingsError):
        load(GeneratorSettings, text)
