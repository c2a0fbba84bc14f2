"""Settings: a typo is one line that names the key, and what is accepted means what it says."""

import json
from collections.abc import Iterator
from types import NoneType
from typing import Any, get_args

import pytest
import yaml
from project_copy import REPOSITORY
from pydantic import ValidationError

from cloudchamber.analysis import STUDIES, AnalysisSettings
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.json_arguments import settings_argument
from cloudchamber.settings.base import NULL_SAYS, Settings, load, parse
from cloudchamber.settings.data import SplitSettings
from cloudchamber.settings.detection import DetectionSettings
from cloudchamber.settings.generators import EVALUATIONS_PER_STEP, GeneratorSettings, SamplerSettings, TrainedModel
from cloudchamber.settings.ingestion import IngestionSettings
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


@pytest.mark.parametrize("label", [None, 0])
def test_classes_of_one_data_set_need_a_label_each(label: int | None) -> None:
    values = _default()
    name = next(iter(values["tagging"]["classes"].values()))["dataset"]
    classes = {"a": {"title": "a", "dataset": name, "label": 0}, "b": {"title": "b", "dataset": name, "label": label}}
    with pytest.raises(SettingsError, match=rf"^settings: tagging: classes\..: those of '{name}' need a label each"):
        parse(AnalysisSettings, _set(values, "tagging.classes", classes))


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
