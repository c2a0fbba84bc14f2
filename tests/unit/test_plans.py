"""What studies ask of shared rules: paths, inputs and seeds of their jobs."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import plan, results_folder
from cloudchamber.errors import SettingsError
from cloudchamber.generative.jobs import GenerationJobs
from cloudchamber.pipeline.json_arguments import paths_in
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.settings.base import merged


def made(**changes: Any) -> Pipeline:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    return plan(merged(config, {"scale": "tiny", **changes}), REPOSITORY)


def folders(pipeline: Pipeline) -> list[str]:
    return [folder for command in pipeline.trainings.commands for folder in pipeline.trainings.folders(command)]


def test_a_model_with_seeds_of_its_own_is_trained_and_drawn_from_with_them() -> None:
    pipeline = made(jet_generation={"models": {"epic_fm": {"seeds": [5, 7]}}})
    of_model = [folder for folder in folders(pipeline) if "/epic_fm/" in folder]
    assert [folder.rpartition("/")[2] for folder in of_model] == ["seed5", "seed7"]
    # The jets that it is asked for are drawn with its seeds too.
    flows = [folder for folder in folders(pipeline) if "/jet_level/" in folder]
    assert [folder.rpartition("/")[2] for folder in flows] == ["seed1", "seed5", "seed7"]


@pytest.mark.parametrize(
    ("change", "figures"),
    [
        ({}, {"requested", "conditioning"}),
        # The conditional model of the pair differs in more than its conditions.
        ({"epic_fm_conditional": {"training": {"steps": 7}}}, set()),
        ({"epic_fm_conditional": {"conditions": []}}, set()),
    ],
)
def test_figures_of_conditions_need_twins(change: Mapping[str, Any], figures: set[str]) -> None:
    drawn = {figure.name for figure in made(jet_generation={"models": change}).studies["jet_generation"].figures()}
    assert drawn & {"requested", "conditioning"} == figures


@pytest.mark.parametrize(
    ("change", "left_out"),
    [
        ({"jet_generation": {"solver_scan": None}}, {"solver_scan", "ode_sde", "few_steps"}),
        ({"jet_generation": {"sampling_time": None}}, {"sampling_time"}),
        ({"jet_generation": {"jet_level": None}}, {"jet_level"}),
    ],
)
def test_what_settings_do_not_ask_for_is_not_drawn(change: Mapping[str, Any], left_out: set[str]) -> None:
    whole, less = (
        {item.name for item in pipeline.studies["jet_generation"].figures()} for pipeline in (made(), made(**change))
    )
    assert whole - less == left_out


def test_figures_and_tables_wait_for_their_files() -> None:
    pipeline = made()
    drawn = {item.key: item for item in [*pipeline.figures(), *pipeline.tables()]}
    job = SimpleNamespace(dataset="top")
    assert drawn["gating/capacity"].inputs(SimpleNamespace()) == ["results_tiny/gating/counts.csv"]
    assert "results_tiny/jet_generation/metrics.csv" in drawn["jet_generation/divergences"].inputs(job)
    assert drawn["jet_generation/divergences"].log == "draw/{dataset}/jet_generation_divergences"
    tables = {item.name: item.inputs(SimpleNamespace()) for item in pipeline.studies["gating"].tables()}
    assert tables == {
        "counts": ["results_tiny/gating/counts.csv"],
        "identities": ["results_tiny/gating/identities.csv"],
    }
    assert drawn["settings"].inputs(SimpleNamespace()) == []


def test_texts_that_name_files_of_the_user_are_no_inputs() -> None:
    files = {"title": "jets.csv", "origin": "files of the user: /data/train.h5", "clouds": "results/clouds/a.h5"}
    assert paths_in({"models": [files]}, "results") == ["results/clouds/a.h5"]
    source = {"kind": "labelled", "layout": "top_tagging", "files": ["train.h5"], "jets": {"max_particles": 30}}
    classes = {name: {"title": name, "dataset": "mine", "label": number} for number, name in enumerate("ab")}
    unused = dict.fromkeys(("1", "2", "3", "4b", "4q", "6", "8"))
    datasets = {"mine": {"title": "mine", "source": source}}
    cards = made(studies=["tagging"], datasets=datasets, tagging={"classes": unused | classes}).cards
    inputs = cards.inputs(SimpleNamespace(card=cards.names[0]))
    assert inputs
    assert all(path.startswith("results_tiny/") for path in inputs)


def test_only_baselines_are_drawn_without_a_training() -> None:
    assert made().plans(GenerationJobs).all_of(GenerationJobs.baselines) == ["marginals"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": {"top_split": {}}}, "datasets.top_split"),
        ({"results": "my results"}, "results"),
        ({"results": "res{x}"}, "results"),
        ({"jet_generation": {"seeds": [1, 1]}}, "jet_generation.seeds: 1 stands there twice"),
        ({"jet_generation": {"datasets": ["top", "top"]}}, "'top' stands there twice"),
        ({"tagging": {"learning_curve": {"jets_per_class": [5, 5]}}}, "5 stands there twice"),
        ({"jet_generation": {"models": {"truth": {"kind": "marginals", "title": "x"}}}}, "models.truth"),
        ({"jet_generation": {"models": {"jet_flow": {"kind": "marginals", "title": "x"}}}}, "models.jet_flow"),
        (
            {"jet_generation": {"models": {"epic_fm": {"samplers": {"none": {"solver": "euler", "evaluations": 1}}}}}},
            "'none' is the sampler of models that are not trained",
        ),
        ({"tagging": {"network": {"hidden": [3]}}}, "tagging.network: a recipe needs the kind"),
    ],
)
def test_names_that_would_meet_are_refused(change: Mapping[str, Any], message: str) -> None:
    if "datasets" in change:
        source = {"kind": "delphes", "files": ["a.root"]}
        ingestion = {"clouds": {"kind": "events"}, "max_particles": 3}
        change = {"datasets": {"top_split": {"title": "x", "source": source, "ingestion": ingestion}}}
    with pytest.raises(SettingsError) as caught:
        made(**change)
    assert message in str(caught.value)


@pytest.mark.parametrize(("scale", "folder"), [("", "results"), ("default", "results"), ("tiny", "results_tiny")])
def test_the_report_goes_to_the_folder_of_the_results(scale: str, folder: str) -> None:
    assert results_folder(scale, REPOSITORY) == folder
