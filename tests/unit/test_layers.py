"""The layers of a configuration: which files count, what lies over what, and that no layer changes another."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.errors import SettingsError
from cloudchamber.settings.layers import layered, merged

STUDIES = ("one", "two")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project of two studies, of which only the first has a file of the scale "large"."""
    write(tmp_path, "one", "default", "processes: {top: {events: 1}}\none: {models: {a: {steps: 1, width: 2}}}\n")
    write(tmp_path, "one", "large", "processes: {top: {events: 9}}\none: {models: {a: {steps: 3}}}\n")
    write(tmp_path, "two", "default", "processes: {qcd: {events: 1}}\ntwo: {seeds: [1]}\n")
    write(tmp_path, "two", "small", "two: {seeds: [2]}\n")
    return tmp_path


def write(root: Path, study: str, scale: str, text: str) -> None:
    path = root / "configs" / study / f"{scale}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def both(**config: Any) -> dict[str, Any]:
    return {"studies": list(STUDIES), **config}


def test_the_user_counts_before_the_scale_and_the_scale_before_the_default(root: Path) -> None:
    made = layered(both(scale="large", one={"models": {"a": {"width": 7}}}), root, STUDIES)
    assert made["one"] == {"models": {"a": {"steps": 3, "width": 7}}}
    assert made["processes"] == {"top": {"events": 9}}
    assert layered(both(), root, STUDIES)["one"] == {"models": {"a": {"steps": 1, "width": 2}}}


def test_a_study_without_a_file_of_the_scale_is_left_out(root: Path) -> None:
    made = layered(both(scale="large", two={"seeds": [3]}), root, STUDIES)
    assert made["studies"] == ["one"]
    # Nor does anything remain of its files, or of what the user says of it.
    assert "two" not in made
    assert "qcd" not in made["processes"]
    assert layered(both(scale="small"), root, STUDIES)["studies"] == ["two"]


def test_null_leaves_a_study_out(root: Path) -> None:
    made = layered(both(two=None), root, STUDIES)
    assert made["studies"] == ["one"]
    assert set(made) == {"studies", "scale", "results", "processes", "one"}
    assert set(made["processes"]) == {"top"}
    with pytest.raises(SettingsError, match=r"no study of \[\] at the scale 'default'"):
        layered(both(one=None, two=None), root, STUDIES)


def test_studies_are_made_in_the_order_that_is_asked_for(root: Path) -> None:
    assert layered({"studies": ["two", "one"]}, root, STUDIES)["studies"] == ["two", "one"]
    assert layered({"studies": ["two"]}, root, STUDIES)["studies"] == ["two"]


def test_an_unknown_study_is_refused_with_the_known_ones(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"^studies: no study 'three' among \['one', 'two'\]$"):
        layered({"studies": ["one", "three"]}, root, STUDIES)


def test_an_unknown_scale_is_refused_with_those_that_there_are(root: Path) -> None:
    with pytest.raises(SettingsError, match=r"at the scale 'huge' \(there are default, large, small\)$"):
        layered(both(scale="huge"), root, STUDIES)
    # One that only another study has is not there for this one.
    with pytest.raises(SettingsError, match=r"no study of \['two'\] at the scale 'large'"):
        layered({"studies": ["two"], "scale": "large"}, root, STUDIES)


@pytest.mark.parametrize("wrong", [{"scale": 3}, {"scale": ["large"]}, {"studies": "one"}, {"studies": {"one": 1}}])
def test_scale_and_studies_of_another_kind_are_refused(wrong: dict[str, Any], root: Path) -> None:
    with pytest.raises(SettingsError, match="expected a name as 'scale' and a list of names as 'studies'"):
        layered(both(**wrong), root, STUDIES)


@pytest.mark.parametrize(
    ("config", "results"),
    [({}, "results"), ({"scale": "large"}, "results_large"), ({"scale": "large", "results": "mine"}, "mine")],
)
def test_results_go_to_a_folder_of_the_scale(config: dict[str, Any], results: str, root: Path) -> None:
    assert layered(both(**config), root, STUDIES)["results"] == results


def test_null_as_scale_is_the_default(root: Path) -> None:
    made = layered(both(scale=None, results=None), root, STUDIES)
    assert (made["scale"], made["results"]) == ("default", "results")


@pytest.mark.parametrize("section", ["processes", "datasets"])
def test_two_studies_may_not_mean_different_things_by_one_name(section: str, root: Path) -> None:
    write(root, "one", "default", f"{section}: {{top: {{title: a, events: 1}}, other: {{events: 2}}}}\none: {{}}\n")
    write(root, "two", "default", f"{section}: {{top: {{title: a, events: 5}}}}\ntwo: {{}}\n")
    with pytest.raises(SettingsError, match=rf"^configs/two: {section}\.top: another study defines it differently$"):
        layered(both(), root, STUDIES)
    # Of a study that is not made nothing counts.
    assert layered(both(two=None), root, STUDIES)[section]["top"] == {"title": "a", "events": 1}
    # The same thing may be said twice, in any order.
    write(root, "two", "default", f"{section}: {{top: {{events: 1, title: a}}}}\ntwo: {{}}\n")
    made = layered(both(), root, STUDIES)
    assert made[section] == {"top": {"title": "a", "events": 1}, "other": {"events": 2}}


def test_what_a_scale_changes_of_a_shared_name_counts_for_the_comparison(root: Path) -> None:
    for study, events in (("one", 3), ("two", 4)):
        write(root, study, "default", f"datasets: {{top: {{events: 1}}}}\n{study}: {{}}\n")
        write(root, study, "large", f"datasets: {{top: {{events: {events}}}}}\n{study}: {{}}\n")
    assert layered(both(), root, STUDIES)["datasets"] == {"top": {"events": 1}}
    with pytest.raises(SettingsError, match=r"configs/two: datasets\.top: another study defines it differently"):
        layered(both(scale="large"), root, STUDIES)
    # The user may, of course, change what they share.
    made = layered(both(datasets={"top": {"events": 9}}), root, STUDIES)
    assert made["datasets"] == {"top": {"events": 9}}


ANCHORED = """
one:
  models:
    a:
      training: &training
        steps: 1
        loop: {rate: 1, clip: 1}
    b:
      training: *training
    c:
      training: *training
"""


def test_models_that_share_an_anchor_are_changed_one_by_one(root: Path) -> None:
    write(root, "one", "default", ANCHORED)
    # The scale has an anchor too, which the user then changes for one model.
    scale = "one: {models: {a: {training: &own {loop: {rate: 2}}}, b: {training: {loop: {rate: 3}, steps: 5}}"
    write(root, "one", "large", scale + ", d: {training: *own}}}\n")
    user = {"models": {"d": {"training": {"loop": {"rate": 4}}}}}
    models = layered({"studies": ["one"], "scale": "large", "one": user}, root, STUDIES)["one"]["models"]
    assert {name: model["training"] for name, model in models.items()} == {
        "a": {"steps": 1, "loop": {"rate": 2, "clip": 1}},
        "b": {"steps": 5, "loop": {"rate": 3, "clip": 1}},
        "c": {"steps": 1, "loop": {"rate": 1, "clip": 1}},
        "d": {"loop": {"rate": 4}},
    }


def test_what_is_merged_stays_as_it_was() -> None:
    shared = {"rate": 1, "loop": {"clip": 1}}
    below = {"a": shared, "b": shared, "c": {"kept": [1]}}
    above = {"a": {"rate": 2, "loop": {"clip": 2}}, "c": None, "d": {"new": 1}}
    before = copy.deepcopy((below, above))
    assert merged(below, above) == {"a": above["a"], "b": shared, "c": None, "d": {"new": 1}}
    assert (below, above) == before


def test_the_configuration_that_is_given_stays_as_it_was(root: Path) -> None:
    config = both(scale="large", one={"models": {"a": {"width": 7}}}, processes={"top": {"shards": 2}})
    before = copy.deepcopy(config)
    first = layered(config, root, STUDIES)
    assert config == before
    assert layered(config, root, STUDIES) == first


def test_lists_and_other_kinds_are_replaced_and_not_merged() -> None:
    assert merged({"a": [1, 2], "b": {"c": 1}, "d": 1}, {"a": [3], "b": 2, "d": {"e": 1}}) == {
        "a": [3],
        "b": 2,
        "d": {"e": 1},
    }


def test_a_file_that_is_missing_or_wrong_is_named(root: Path) -> None:
    write(root, "one", "large", "- 1\n")
    with pytest.raises(SettingsError, match=r"configs/one/large\.yaml: expected keys and values at the top level"):
        layered(both(scale="large"), root, STUDIES)
    (root / "configs/two/default.yaml").unlink()
    with pytest.raises(SettingsError, match=r"configs/two/default\.yaml: cannot be read"):
        layered(both(scale="small"), root, STUDIES)


@pytest.mark.parametrize("section", ["processes", "datasets"])
def test_sections_of_another_kind_are_refused(section: str, root: Path) -> None:
    write(root, "one", "default", f"{section}: 3\none: {{}}\n")
    with pytest.raises(SettingsError, match=section):
        layered(both(), root, STUDIES)


def test_the_pipeline_makes_nothing_of_a_study_that_is_left_out() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    whole, without = plan(config, REPOSITORY), plan({**config, "tagging": None, "macaron": None}, REPOSITORY)
    assert "tagging" in whole.studies
    assert "tagging" not in without.studies
    assert not [path for path in without.all_results() if "tagging" in path]
    assert {name for name in whole.settings.datasets if name.startswith("prong")}
    assert not {name for name in without.settings.datasets if name.startswith("prong")}
    assert set(without.all_results()) < set(whole.all_results())


def test_a_small_scale_goes_to_a_folder_of_its_own() -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    tiny = plan({**config, "scale": "tiny"}, REPOSITORY)
    assert all(path.startswith("results_tiny/") for path in tiny.all_results())
    assert tiny.settings.processes["top"].events < plan(config, REPOSITORY).settings.processes["top"].events


@pytest.mark.parametrize("key", ["seed", "results", "scale", "studies", "two"])
def test_a_file_of_a_study_says_nothing_of_anything_else(key: str, root: Path) -> None:
    write(root, "one", "default", f"one: {{}}\n{key}: 7\n")
    with pytest.raises(SettingsError, match=rf"configs/one/default\.yaml: {key}: a file of the study holds one,"):
        layered(both(), root, STUDIES)


def test_a_file_of_a_study_may_be_empty_and_empties_no_other(root: Path) -> None:
    write(root, "one", "default", "one: {}\ndatasets: {mine: {title: mine}}\ndetector_response: {max_particles: 3}\n")
    write(root, "two", "default", "# nothing\ndatasets:\ndetector_response:\n")
    write(root, "two", "large", "")
    write(root, "one", "large", "")
    for scale in ("default", "large"):
        made = layered(both(scale=scale), root, STUDIES)
        assert made["datasets"] == {"mine": {"title": "mine"}}
        assert made["detector_response"] == {"max_particles": 3}


def test_two_studies_agree_on_the_detector_that_they_compare(root: Path) -> None:
    for study, particles in (("one", 3), ("two", 4)):
        write(root, study, "default", f"detector_response: {{max_particles: {particles}}}\n")
    with pytest.raises(SettingsError, match=r"configs/two: detector_response: another study defines it differently"):
        layered(both(), root, STUDIES)


@pytest.mark.parametrize("key", [1, True, None, 1.5])
def test_a_name_that_is_no_text_is_refused(key: Any, root: Path) -> None:
    # As Snakemake gives it, of "1: null" without quotes; it would take out nothing.
    with pytest.raises(SettingsError, match=rf"^configuration: one\.classes\.{key}: YAML takes the key for no text"):
        layered(both(one={"classes": {key: None}}), root, STUDIES)


OWN = """
processes:
  top: {title: tops, commands: [a], pt_hat: [1, 2], events: 1, shards: 4, particles: hard}
datasets:
  top:
    title: tops
    source: {kind: simulated, process: top}
    ingestion: {clouds: {kind: reclustered, radius: 1.2, pt_window: [1000, 1200]}, max_particles: 30}
one:
  title: some jets
  sample: {jets_per_class: 570, pt_window: [1000, 1200]}
  learning_curve: {jets_per_class: [170]}
  seeds: [1]
  classes:
    "1": {title: one, dataset: top}
    "2": {title: two, dataset: top, label: 3}
"""


@pytest.fixture
def classes(root: Path) -> Path:
    """A project whose first study has classes."""
    write(root, "one", "default", OWN)
    return root


def of_user(root: Path, **config: Any) -> dict[str, Any]:
    return layered({"studies": ["one"], **config}, root, STUDIES)


def test_a_data_set_with_a_source_takes_nothing_of_one_of_its_name(classes: Path) -> None:
    mine = {"title": "mine", "source": {"kind": "delphes", "files": ["a"]}, "ingestion": {"max_particles": 8}}
    assert of_user(classes, datasets={"top": mine})["datasets"] == {"top": mine}
    # Even if it is of the same kind.
    mine = {"title": "mine", "source": {"kind": "simulated", "process": "qcd"}}
    assert of_user(classes, datasets={"top": mine})["datasets"] == {"top": mine}


def test_a_data_set_without_a_source_of_its_own_is_that_below_with_changes(classes: Path) -> None:
    for change in ({"ingestion": {"max_particles": 8}}, {"source": {"process": "qcd"}}, {"source": None}):
        made = of_user(classes, datasets={"top": change})["datasets"]["top"]
        assert made["title"] == "tops"
        assert made["ingestion"]["clouds"] == {"kind": "reclustered", "radius": 1.2, "pt_window": [1000, 1200]}


def test_a_process_with_commands_or_a_kind_takes_nothing_of_one_of_its_name(classes: Path) -> None:
    for mine in ({"title": "mine", "commands": ["b"]}, {"title": "mine", "kind": "decay_chain", "prongs": "2"}):
        assert of_user(classes, processes={"top": mine})["processes"]["top"] == mine
    changed = of_user(classes, processes={"top": {"events": 9}})["processes"]["top"]
    assert changed == {**changed, "events": 9, "shards": 4, "particles": "hard"}


def test_real_files_below_are_not_of_a_process_that_the_user_changes(classes: Path) -> None:
    real = {"real_files": {"top": "top.root", "qcd": "qcd.root"}, "max_particles": 5}
    write(classes, "one", "default", OWN + f"detector_response: {json.dumps(real)}\n")
    for mine in ({"title": "mine", "commands": ["b"]}, {"pt_hat": [3, 4]}):
        made = of_user(classes, processes={"top": mine})["detector_response"]
        assert made == {"real_files": {"qcd": "qcd.root"}, "max_particles": 5}
    # Files that the user names are of his process, and more events are of the one that is there.
    own = {"real_files": {"top": "mine.root"}}
    made = of_user(classes, processes={"top": {"commands": ["b"]}}, detector_response=own)["detector_response"]
    assert made["real_files"] == {"qcd": "qcd.root", "top": "mine.root"}
    assert of_user(classes, processes={"top": {"events": 9}})["detector_response"] == real


def test_own_classes_are_all_classes_and_nothing_below_acts_on_their_jets(classes: Path) -> None:
    mine = {"a": {"title": "a", "dataset": "mine"}, "2": {"title": "b", "dataset": "mine"}}
    made = of_user(classes, one={"classes": mine, "sample": {"max_particles": 5}})["one"]
    assert made == {"classes": mine, "sample": {"max_particles": 5}, "seeds": [1]}
    # Classes that are named without a data set are those below.
    made = of_user(classes, one={"classes": {"a": mine["a"], "2": {}}})["one"]
    assert made == {"classes": {"a": mine["a"], "2": {"title": "two", "dataset": "top", "label": 3}}, "seeds": [1]}


def test_nothing_below_acts_on_own_events(root: Path) -> None:
    study = {"title": "some events", "events": "top", "background": "qcd", "parts": {"train": 0.7}, "seeds": [1]}
    write(root, "one", "default", json.dumps({"one": {**study, "learning_curve": {"complete_events": [5000]}}}))
    assert of_user(root, one={"events": "mine"})["one"] == {"events": "mine", "seeds": [1]}
    own = {"events": "mine", "background": "other"}
    assert of_user(root, one=own)["one"] == {**own, "seeds": [1]}
    # Another data set by the name of the one below.
    mine = {"top": {"title": "mine", "source": {"kind": "delphes", "files": ["a"]}}}
    assert of_user(root, datasets=mine)["one"] == {"events": "top", "seeds": [1]}
    for change in ({"one": {"events": "top"}}, {"one": {"seeds": [1]}}, {"datasets": {"top": {"title": "tops"}}}):
        assert of_user(root, **change)["one"]["background"] == "qcd"


def test_classes_that_are_changed_or_left_out_keep_their_sample(classes: Path) -> None:
    made = of_user(classes, one={"classes": {"1": None, "2": {"title": "zwei"}}})["one"]
    assert made["classes"] == {"1": None, "2": {"title": "zwei", "dataset": "top", "label": 3}}
    assert made["sample"] == {"jets_per_class": 570, "pt_window": [1000, 1200]}
    assert made["learning_curve"] == {"jets_per_class": [170]}


def test_a_part_of_another_kind_takes_nothing_of_the_one_below(classes: Path) -> None:
    change = {"ingestion": {"clouds": {"kind": "stored", "collection": "JetAK8"}}}
    made = of_user(classes, datasets={"top": change})["datasets"]["top"]["ingestion"]
    assert made == {"clouds": {"kind": "stored", "collection": "JetAK8"}, "max_particles": 30}
    change = {"ingestion": {"clouds": {"kind": "reclustered", "radius": 0.8}}}
    made = of_user(classes, datasets={"top": change})["datasets"]["top"]["ingestion"]
    assert made["clouds"] == {"kind": "reclustered", "radius": 0.8, "pt_window": [1000, 1200]}


@pytest.mark.parametrize(
    "wrong", [3, "a", [1], {"top": 3}, {"top": {"source": 3}}, {"top": {"source": ["kind"]}}, None]
)
def test_sections_of_another_kind_are_left_to_the_check_of_the_settings(wrong: Any, classes: Path) -> None:
    for section in ("processes", "datasets"):
        of_user(classes, **{section: wrong})
    of_user(classes, one={"classes": wrong})
