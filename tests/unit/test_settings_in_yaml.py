"""Settings in files of YAML: what is read as it is written, and what is refused."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import load, parse, read_yaml, refuse_other_keys
from cloudchamber.settings.generators import TrainedModel
from cloudchamber.settings.ingestion import IngestionSettings, ReclusteredJets
from cloudchamber.settings.training import TrainingSettings

MODEL: dict[str, Any] = {"kind": "trained", "title": "größer: EPiC-FM", "objective": {"kind": "flow_matching"}}
MODEL |= {"training": {"steps": 10, "weight_decay": 5e-5}, "samplers": {"one": {"solver": "euler", "evaluations": 4}}}


def test_settings_come_inline_or_from_a_file(tmp_path: Path) -> None:
    expected = parse(TrainedModel, MODEL)
    text = json.dumps(expected.model_dump(mode="json"))
    assert load(TrainedModel, text) == expected
    assert load(TrainedModel, "  " + text) == expected
    for name in ("model.json", "model.yaml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert load(TrainedModel, str(tmp_path / name)) == expected


def test_unreadable_settings_are_one_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    with pytest.raises(SettingsError, match=r"model\.yaml: cannot be read"):
        load(TrainedModel, str(path))
    for text, reason in (("a: [1, 2", "not YAML"), ("- 1\n- 2\n", "expected keys and values"), ("", "expected keys")):
        path.write_text(text)
        with pytest.raises(SettingsError, match=rf"model\.yaml: {reason}") as caught:
            load(TrainedModel, str(path))
        assert "\n" not in str(caught.value)
    with pytest.raises(SettingsError, match=r"^settings: title: Field required"):
        load(TrainedModel, json.dumps({key: value for key, value in MODEL.items() if key != "title"}))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: {c: 1}\na: 2\n", r"line 3: key 'a' stands there twice"),
        ("a:\n  b: {c: 1, d: 2, c: 1}\n", r"line 2: key 'c' stands there twice"),
        ("x: &x {a: 1}\ny: {<<: *x, b: 1, b: 2}\n", r"line 2: key 'b' stands there twice"),
        ("- {a: 1}\n- {a: 1, a: 2}\n", r"line 2: key 'a' stands there twice"),
        ('{"a": 1, "a": 1}', r"line 1: key 'a' stands there twice"),
        ('a: {"1": x, 1: y}', r"line 1: key '1' \(YAML takes it for no text\): write it in quotes"),
        *(
            (f"classes:\n  {key}: null\n", r"line 2: key '?.*\(YAML takes it for no text\): write it in quotes")
            for key in ("1", "010", "1.5", "on", "no", "null", "~", "2026-01-01", "? [a, b]\n ", "? {a: b}\n ")
        ),
    ],
)
def test_a_key_that_is_no_text_or_stands_there_twice_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=rf"^{path}, {reason}$"):
        read_yaml(path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\nb: {window: [0500, 1000]}", "line 2: YAML counts 0500 in eights: .*"),
        ("a: -010", "line 1: YAML counts -010 in eights: .*"),
        ("steps: 1:30", "line 1: YAML counts 1:30 in sixties: .*"),
        ("share: 0:30.5", "line 1: YAML counts 0:30.5 in sixties: .*"),
    ],
)
def test_a_number_that_is_another_one_to_yaml_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=rf"^{path}, {reason}$"):
        read_yaml(path)


def test_numbers_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("a: [0, 10, 0.50, 007.5, 1_000, 0x10, 1.0e-3, '0500', '1:30']")
    assert read_yaml(path) == {"a": [0, 10, 0.5, 7.5, 1000, 16, 1e-3, "0500", "1:30"]}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"steps": True}, "steps"),
        ({"steps": 5, "learning_rate": True}, "learning_rate"),
        ({"steps": 5, "betas": [False, 0.9]}, "betas.0"),
    ],
)
def test_true_and_false_are_no_numbers(values: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError, match=f"^settings: {key}: expected a number, not true or false"):
        parse(TrainingSettings, values)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"weights_branch": None}, "weights_branch: no such key; did you mean weight_branch?"),
        ({"clouds": {"kind": "reclustered", "radus": None}}, "clouds.radus: no such key; did you mean radius?"),
        # A key of another kind.
        ({"clouds": {"kind": "stored", "radius": None}}, "clouds.radius: no such key"),
        (
            {"clouds": {"kind": "reclustered", "truth_match": {"prongs": 3, "x": None}}},
            "clouds.truth_match.x: no such key",
        ),
    ],
)
def test_a_key_that_is_none_is_refused_where_its_value_is_null_too(values: dict[str, Any], fault: str) -> None:
    whole = {"clouds": {"kind": "reclustered"}, "max_particles": 30, **values}
    with pytest.raises(SettingsError, match=f"^settings: {re.escape(fault)}$"):
        parse(IngestionSettings, whole)


def test_null_takes_a_name_out_and_leaves_a_key_at_its_default() -> None:
    values = {"clouds": {"kind": "reclustered", "radius": None}, "cross_sections": {"a.root": None, "b.root": 2.0}}
    made = parse(IngestionSettings, {**values, "max_particles": 30})
    assert isinstance(made.clouds, ReclusteredJets)
    assert (made.clouds.radius, made.cross_sections) == (0.8, {"b.root": 2.0})


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("clouds: {kind: reclustered, radius:0.4}\n", 1, "radius:0.4"),
        ('{"clouds": {kind:stored, "collection": "Jet"}}', 1, "kind:stored"),
        # Names are free here: it would be one more, of nothing.
        ("a: 1\ncross_sections: {a.root:1430, b.root:21.7}\n", 2, "a.root:1430"),
    ],
)
def test_a_key_without_a_space_behind_its_colon_is_refused(text: str, line: int, key: str, tmp_path: Path) -> None:
    reason = f"'{key}' is a key without a value to YAML: a space is missing behind the colon"
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=f"^{re.escape(f'{path}, line {line}: {reason}')}$"):
        read_yaml(path)
    # Snakemake reads config.yaml and --config by itself, and the latter has "" in place of null.
    for empty in (None, ""):
        with pytest.raises(SettingsError, match=f"^{re.escape(f'configuration: a.b: {reason}')}$"):
            refuse_other_keys({"a": {"b": {key: empty}}})


def test_a_colon_in_a_name_is_one_where_there_is_a_value(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("a: {'C:/b.root': 1, 'c:d': {}, e:f: [2], 'g:': 3}\n")
    assert read_yaml(path) == {"a": {"C:/b.root": 1, "c:d": {}, "e:f": [2], "g:": 3}}


def test_merged_keys_are_overwritten_and_anchors_are_no_second_keys(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, y: 3}\nd: *b\ne: {<<: [*a, *b], z: 1}\n'1': {}\n"
    path.write_text(text)
    assert read_yaml(path) == yaml.safe_load(text)
