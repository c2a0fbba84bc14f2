"""Settings: a typo is one line that names the key, and what is accepted means what it says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
import yaml
from project_copy import REPOSITORY
from pydantic import ValidationError

from cloudchamber.analysis import STUDIES, AnalysisSettings
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.json_arguments import settings_argument
from cloudchamber.settings.base import NULL_SAYS, Settings, load, parse, read_yaml, refuse_other_keys
from cloudchamber.settings.data import SplitSettings
from cloudchamber.settings.detection import DetectionSettings
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, GeneratorSettings, SamplerSettings, TrainedModel
from cloudchamber.settings.ingestion import IngestionSettings, ReclusteredJets
from cloudchamber.settings.layers import layered
from cloudchamber.settings.networks import EpicSettings
from cloudchamber.settings.processes import ProcessSettings
from cloudchamber.settings.tagging_sample import HighLevelSettings
from cloudchamber.settings.training import TrainingSettings

MODEL: dict[str, Any] = {
    "kind": "trained",
    "title": "EPiC-FM",
    "objective": {"kind": "flow_matching"},
    "training": {"steps": 10},
    "samplers": {"quick": {"solver": "midpoint", "evaluations": 8}},
}


def _default() -> dict[str, Any]:
    """Return config.yaml with what the studies say of the default scale below it."""
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text(encoding="utf-8"))
    return layered(config, REPOSITORY, list(STUDIES))


def _set(values: dict[str, Any], dotted: str, value: Any) -> dict[str, Any]:
    *folders, last = dotted.split(".")
    inner = values
    for folder in folders:
        # What a model leaves to the recipe of its study is not there.
        inner = inner.setdefault(folder, {})
    inner[last] = value
    return values


def _trained(values: dict[str, Any]) -> str:
    models = values["jet_generation"]["models"]
    return next(name for name, model in models.items() if model["kind"] == "trained")


def test_the_default_analysis_is_valid_and_survives_json() -> None:
    settings = parse(AnalysisSettings, _default())
    assert parse(AnalysisSettings, json.loads(settings.model_dump_json())) == settings


@pytest.mark.parametrize(
    ("dotted", "value", "reason"),
    [
        ("sede", 1, "no such key; did you mean seed?"),
        ("seed", -1, "greater than or equal to 0"),
        # The shells of jobs would split the first, take the second for a home and the third for an option.
        ("results", "my results", "should match pattern"),
        ("results", "~/results", "should match pattern"),
        ("results", "-results", "should match pattern"),
        ("jet_generation.generatd", 1, "no such key; did you mean generated?"),
        ("jet_generation.models.NAME.objective.wobble", 1, "no such key"),
        ("jet_generation.models.NAME.objective.kind", "diffusoin", "'diffusoin' is none of flow_matching, "),
        ("jet_generation.models.NAME.training.learning_rate", "fast", "valid number"),
        ("jet_generation.models.NAME.training.learning_rate", float("nan"), "finite number"),
        ("jet_generation.models.NAME.training.steps", 0, "greater than 0"),
        ("jet_generation.models.NAME.training.steps", 1.5, "valid integer"),
        ("jet_generation.models.NAME.network.layer", 2, "no such key; did you mean layers?"),
        ("jet_generation.models.NAME.network.time_features", 31, "multiple of 2"),
        ("jet_generation.models.NAME.kind", "train", "'train' is none of trained, "),
    ],
)
def test_a_fault_is_one_line_with_source_key_and_reason(dotted: str, value: Any, reason: str) -> None:
    values = _default()
    dotted = dotted.replace("NAME", _trained(values))
    if ".network." in dotted:
        values["jet_generation"]["models"][_trained(values)]["network"] = {"kind": "epic"}
    with pytest.raises(SettingsError) as caught:
        parse(AnalysisSettings, _set(values, dotted, value), "config.yaml")
    message = str(caught.value)
    assert message.startswith(f"config.yaml: {dotted}: ")
    assert reason in message
    assert "\n" not in message


@pytest.mark.parametrize("radius", [8, 15, 100])
def test_the_number_in_the_name_of_a_jet_is_no_radius(radius: int) -> None:
    """AK8 has the radius 0.8; with 8 all particles of an event are one jet."""
    for kind, values in (
        (IngestionSettings, {"clouds": {"kind": "reclustered", "radius": radius}, "max_particles": 3}),
        (DetectionSettings, {"jet_radius": radius}),
        (HighLevelSettings, {"radius": radius}),
    ):
        with pytest.raises(SettingsError, match=r"radius: .*less than or equal to 3\.14"):
            parse(kind, values)


@pytest.mark.parametrize("dotted", ["processes.top", "datasets.top", "jet_generation.jet_level", "tagging.models.pfn"])
@pytest.mark.parametrize("value", ["text", 3, [1]])
def test_settings_of_another_kind_are_one_line_with_the_key(dotted: str, value: Any) -> None:
    with pytest.raises(SettingsError, match=rf"^settings: {dotted}: ") as caught:
        parse(AnalysisSettings, _set(_default(), dotted, value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("clouds", "fault"),
    [
        ({"kind": "reclustered", "pt_windw": [1, 2]}, "pt_windw: no such key; did you mean pt_window?"),
        (
            {"kind": "reclustered", "truth_match": {"prongs": 3, "prong": 3}},
            "truth_match.prong: no such key; did you mean prongs?",
        ),
        # A key of another kind of clouds.
        ({"kind": "events", "algorithm": "kt"}, "algorithm: no such key"),
        ({"kind": "reclusterd"}, "kind: 'reclusterd' is none of stored, reclustered, events, jet_events"),
        ({"radius": 0.8}, "kind: is missing; it is one of stored, reclustered, events, jet_events"),
    ],
)
def test_a_key_that_is_none_is_told_with_the_one_that_was_meant(clouds: dict[str, Any], fault: str) -> None:
    source = {"kind": "delphes", "files": ["a.root"]}
    mine = {"title": "mine", "source": source, "ingestion": {"clouds": clouds, "max_particles": 3}}
    with pytest.raises(SettingsError) as caught:
        parse(AnalysisSettings, _set(_default(), "datasets.mine", mine))
    assert str(caught.value) == f"settings: datasets.mine.ingestion.clouds.{fault}"


def test_a_key_of_a_union_without_a_name_of_its_own_is_told_too() -> None:
    with pytest.raises(SettingsError, match=r"^settings: step: no such key; did you mean steps\?$"):
        parse(TrainingSettings | None, {"steps": 3, "step": 4})
    with pytest.raises(SettingsError, match=r"^settings: titel: no such key; did you mean title\?$"):
        parse(ProcessSettings, {"title": "t", "events": 5, "pt_hat": [1, 2], "commands": [], "titel": "t"})


def test_every_fault_is_named() -> None:
    with pytest.raises(SettingsError, match=r"^settings: training\.steps: Field required; conditions\.0: .*$"):
        parse(GeneratorSettings, {"objective": {"kind": "flow_matching"}, "training": {}, "conditions": ["eta"]})


def test_names_that_do_not_exist_are_refused() -> None:
    values = _set(_default(), "jet_generation.datasets", ["nowhere"])
    with pytest.raises(SettingsError, match=r"jet_generation: no data set 'nowhere' among"):
        parse(AnalysisSettings, values)
    values = _default()
    name = next(name for name, data in values["datasets"].items() if data["source"]["kind"] == "simulated")
    _set(values, f"datasets.{name}.source.process", "nothing")
    with pytest.raises(SettingsError, match=rf"datasets\.{name}\.source\.process: no process 'nothing'"):
        parse(AnalysisSettings, values)


def test_null_counts_as_left_out() -> None:
    values = {**MODEL, "network": None, "training": {"steps": 10, "warmup_steps": None}}
    assert parse(TrainedModel, values) == parse(TrainedModel, MODEL)


def _kinds(of: type[Settings]) -> Iterator[type[Settings]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def test_null_is_no_word_for_a_default_that_is_something_else() -> None:
    """Where a key may be null and its default is not, null means something, also through a command's arguments."""
    fields = [(name, field) for kind in _kinds(Settings) for name, field in kind.model_fields.items()]
    may_be_null = [(name, field.default) for name, field in fields if NoneType in get_args(field.annotation)]
    assert {name for name, default in may_be_null if default is not None} == NULL_SAYS
    for layout in ("delphes", "nanoaod"):
        values = {"layout": layout, "clouds": {"kind": "stored"}, "max_particles": 3}
        assert parse(IngestionSettings, values).weight_branch is not None
        unread = parse(IngestionSettings, {**values, "weight_branch": None})
        assert unread.weight_branch is None
        assert load(IngestionSettings, settings_argument(unread).strip("'")).weight_branch is None


def test_settings_are_frozen() -> None:
    settings = EpicSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.layers = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("solver", "per_step"), [item for item in EVALUATIONS_PER_STEP.items() if item[0] != "one_step"]
)
def test_evaluations_must_make_whole_steps(solver: str, per_step: int) -> None:
    values = {"solver": solver, "evaluations": 3 * per_step}
    assert parse(SamplerSettings, values).evaluations == 3 * per_step
    if per_step > 1:
        with pytest.raises(SettingsError, match=f"{solver} takes {per_step} evaluations per step"):
            parse(SamplerSettings, {**values, "evaluations": 3 * per_step + 1})


def test_one_step_takes_one_evaluation() -> None:
    assert parse(SamplerSettings, {"solver": "one_step", "evaluations": 1}).evaluations == 1
    with pytest.raises(SettingsError, match="one_step takes one evaluation"):
        parse(SamplerSettings, {"solver": "one_step", "evaluations": 2})


@pytest.mark.parametrize(
    ("network", "objective"), [("epic_gan", "flow_matching"), ("epic", "adversarial"), ("transformer", "adversarial")]
)
def test_the_generator_of_epic_gan_and_adversarial_training_belong_together(network: str, objective: str) -> None:
    values = {"network": {"kind": network}, "objective": {"kind": objective}, "training": {"steps": 1}}
    with pytest.raises(SettingsError, match="need each other"):
        parse(GeneratorSettings, values)


def test_an_adversarial_training_has_no_best_weights() -> None:
    values = {"network": {"kind": "epic_gan"}, "objective": {"kind": "adversarial"}, "training": {"steps": 1}}
    assert parse(GeneratorSettings, values).training.keep == "last"
    values["training"] = {"steps": 1, "keep": "best"}
    with pytest.raises(SettingsError, match=r"training\.keep: losses of an adversarial training"):
        parse(GeneratorSettings, values)


def test_adversarial_models_are_sampled_in_one_step() -> None:
    values = {
        "kind": "trained",
        "title": "GAN",
        "network": {"kind": "epic_gan"},
        "objective": {"kind": "adversarial"},
        "training": {"steps": 1},
        "samplers": {"slow": {"solver": "midpoint", "evaluations": 4}},
    }
    with pytest.raises(SettingsError, match=r"samplers\.slow: an adversarial model is sampled by one_step"):
        parse(TrainedModel, values)


def test_a_split_must_leave_a_test_part() -> None:
    assert parse(SplitSettings, {"train": 0.8, "validation": 0.1}).train == 0.8
    with pytest.raises(SettingsError, match="the rest is the test part"):
        parse(SplitSettings, {"train": 0.8, "validation": 0.2})


def test_training_does_not_depend_on_title_and_samplers() -> None:
    model = parse(TrainedModel, MODEL)
    other = {**MODEL, "title": "another", "samplers": {"slow": {"solver": "rk4", "evaluations": 400}}}
    assert model.generator == parse(TrainedModel, other).generator
    changed = {**MODEL, "training": {"steps": 11}}
    assert model.generator != parse(TrainedModel, changed).generator
    assert parse(GeneratorSettings, model.generator.model_dump(mode="json")) == model.generator


def test_settings_come_inline_or_from_a_file(tmp_path: Path) -> None:
    training = {"steps": 10, "weight_decay": 5e-5}
    expected = parse(TrainedModel, {**MODEL, "title": "EPiC-FM: größer", "training": training})
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
