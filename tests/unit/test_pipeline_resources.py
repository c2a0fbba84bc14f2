"""What jobs ask a cluster for follows the settings of the training."""

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.errors import SettingsError
from cloudchamber.generative.jobs import GenerationJobs
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.pipeline.resources import growing
from cloudchamber.pipeline.training import Launch
from cloudchamber.settings.training import TrainingSettings

JOB = SimpleNamespace(
    study="jet_generation", dataset="top", model="epic_fm", training="jet_generation/top/models/epic_fm/seed1"
)
ASKED = ("gpus", "cpus", "nodes", "tasks", "mpi", "launcher")
ON_TWO_NODES = {"accelerator": "cuda", "devices": 4, "nodes": 2}
SRUN = "srun --nodes=2 --ntasks-per-node=4 --cpus-per-task=3 --kill-on-bad-exit "


def pipeline(**changes: Any) -> Pipeline:
    """Return the default analysis with changed settings of its studies."""
    return plan({**yaml.safe_load((REPOSITORY / "config.yaml").read_text()), **changes}, REPOSITORY)


def generation(threads: int = 1, **training: Any) -> Pipeline:
    return pipeline(jet_generation={"threads": threads, "models": {"epic_fm": {"training": training}}})


def asked(made: Pipeline) -> dict[str, Any]:
    sampling = made.plans(GenerationJobs).ask(GenerationJobs.sampling_gpus)(JOB)
    of_training = {name: getattr(made.trainings, name)(JOB) for name in ASKED}
    return {"gpus": of_training.pop("gpus"), "sampling_gpus": sampling, **of_training}


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({}, (0, 0, 3, None, None, None, "")),
        ({"accelerator": "cuda"}, (1, 1, 3, None, None, None, "")),
        ({"accelerator": "cpu", "devices": 2}, (0, 0, 6, None, None, None, "")),
        ({"accelerator": "cuda", "devices": 4}, (4, 1, 12, None, None, None, "")),
        (ON_TWO_NODES, (8, 1, 3, 2, 8, "srun", SRUN)),
    ],
)
def test_a_training_asks_for_its_processes(training: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert tuple(asked(generation(threads=3, **training)).values()) == expected


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({}, (0, 2, None, None, None, "")),
        # What it finds is not asked for.
        ({"devices": 3}, (0, 6, None, None, None, "")),
        # Processes on CPUs of several nodes.
        (
            {"accelerator": "cpu", "devices": 3, "nodes": 2},
            (0, 2, 2, 6, "srun", "srun --nodes=2 --ntasks-per-node=3 --cpus-per-task=2 --kill-on-bad-exit "),
        ),
        (
            {"accelerator": "cuda", "nodes": 3},
            (3, 2, 3, 3, "srun", "srun --nodes=3 --ntasks-per-node=1 --cpus-per-task=2 --kill-on-bad-exit "),
        ),
    ],
)
def test_a_launch_follows_the_loop_and_the_threads(training: dict[str, Any], expected: tuple[Any, ...]) -> None:
    launch = Launch(TrainingSettings(steps=1, **training), threads=2)
    assert tuple(getattr(launch, name) for name in ASKED) == expected


def test_trainings_of_every_command_may_ask_for_several_nodes() -> None:
    study = {"threads": 3, "jet_level": {"training": {"steps": 1, **ON_TWO_NODES}}}
    taggers = {"threads": 3, "models": {"pfn": {"training": ON_TWO_NODES}}}
    made = pipeline(jet_generation=study, tagging=taggers)
    for command, folder in (
        ("train-jet-flow", "jet_generation/top/jet_level/seed1"),
        ("train-tagger", "tagging/models/pfn/all/seed1"),
        ("train-tagger", "tagging/models/pfn/170/seed1"),
    ):
        assert folder in made.trainings.folders(command)
        job = SimpleNamespace(training=folder)
        assert tuple(getattr(made.trainings, name)(job) for name in ASKED) == (8, 3, 2, 8, "srun", SRUN)
    # Others stay on one node.
    other = SimpleNamespace(training="tagging/models/mass_hl/all/seed1")
    assert (made.trainings.nodes(other), made.trainings.launcher(other)) == (None, "")


@pytest.mark.parametrize(("accelerator", "gpus"), [("cuda", 1), ("cpu", 0), ("auto", 0)])
def test_the_classifier_of_the_log_posterior_asks_for_its_gpu(accelerator: str, gpus: int) -> None:
    made = pipeline(jet_generation={"log_posterior": {"training": {"accelerator": accelerator}}})
    assert made.plans(GenerationJobs).ask(GenerationJobs.posterior_gpus)(JOB) == gpus


BATCH_NORMALISATION: dict[str, dict[str, Any]] = {
    "log posterior": {"jet_generation": {"log_posterior": {"training": {}}}},
    "ParticleNet": {"tagging": {"models": {"pn": {"title": "a", "network": {"kind": "particle_net"}}}}},
    "ParticleTransformer": {
        "tagging": {"models": {"part": {"title": "a", "network": {"kind": "particle_transformer"}}}}
    },
}


@pytest.mark.parametrize("processes", [{"devices": 2}, {"nodes": 2}])
@pytest.mark.parametrize("which", BATCH_NORMALISATION)
def test_networks_with_batch_normalisation_are_trained_by_one_process(which: str, processes: dict[str, int]) -> None:
    """Each process would take the statistics of its share of a batch for those of the whole."""
    changes = copy.deepcopy(BATCH_NORMALISATION[which])
    pipeline(**changes)
    trained = changes.get("jet_generation") or next(iter(changes["tagging"]["models"].values()))
    trained.get("log_posterior", trained)["training"] = processes
    with pytest.raises(SettingsError, match=r"trained by one process: devices and nodes must be 1"):
        pipeline(**changes)


def test_each_training_has_one_folder_and_a_state_of_its_own() -> None:
    made = pipeline(jet_generation={"seeds": [1, 2]})
    of_studies = [f"{study} train" for study in ("neutron_stars", "assignment", "active_matter")]
    of_studies += ["showers train-counts", "showers train", "neutrinos train"]
    assert made.trainings.commands == ["train-jet-flow", "train", "train-flow-map", "train-tagger", *of_studies]
    folders = [folder for command in made.trainings.commands for folder in made.trainings.folders(command)]
    assert len(set(folders)) == len(folders)
    job = SimpleNamespace(training="jet_generation/top/models/epic_fm/seed2")
    assert (made.trainings.source(job), made.trainings.seed(job)) == ("results/prepared/top.h5", 2)
    assert made.trainings.state(job) == "state/results/jet_generation/top/models/epic_fm/seed2"
    assert (made.trainings.options(job), made.trainings.inputs(job)) == ("", [])


def test_a_tagger_names_its_features_and_its_part_of_the_jets() -> None:
    trainings = pipeline().trainings
    features = "results/tagging/high_level.h5"
    for name, size, options, inputs in (
        ("mass_hl", "all", f" --high-level {features}", [features]),
        ("mass_hl", "170", f" --high-level {features} --jets-per-class 170", [features]),
        ("pfn", "all", "", []),
        ("pfn", "170", " --jets-per-class 170", []),
    ):
        job = SimpleNamespace(training=f"tagging/models/{name}/{size}/seed1")
        assert (trainings.options(job), trainings.inputs(job)) == (options, inputs)


def test_memory_and_time_grow_with_each_attempt() -> None:
    assert [growing(4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]
    trainings = pipeline().trainings
    assert [trainings.memory(JOB, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]
