"""What jobs ask a cluster for follows the settings of the training."""

from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.pipeline import Pipeline, growing

JOB = SimpleNamespace(model="epic_fm")


def pipeline(threads: int = 1, **training: Any) -> Pipeline:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    study = config["jet_generation"]
    study["threads"] = threads
    study["models"]["epic_fm"]["training"] |= training
    return Pipeline(config)


def asked(made: Pipeline) -> dict[str, Any]:
    names = (
        "training_gpus",
        "sampling_gpus",
        "training_cpus",
        "training_nodes",
        "training_tasks",
        "training_mpi",
        "launcher",
    )
    return {name: getattr(made.resources, name)(JOB) for name in names}


@pytest.mark.parametrize(
    ("training", "expected"),
    [
        ({}, (0, 0, 3, None, None, None, "")),
        ({"accelerator": "cuda"}, (1, 1, 3, None, None, None, "")),
        ({"accelerator": "cpu", "devices": 2}, (0, 0, 6, None, None, None, "")),
        ({"accelerator": "cuda", "devices": 4}, (4, 1, 12, None, None, None, "")),
        (
            {"accelerator": "cuda", "devices": 4, "nodes": 2},
            (8, 1, 3, 2, 8, "srun", "srun --nodes=2 --ntasks-per-node=4 --cpus-per-task=3 --kill-on-bad-exit "),
        ),
    ],
)
def test_a_training_asks_for_its_processes(training: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert tuple(asked(pipeline(threads=3, **training)).values()) == expected


def test_memory_and_time_grow_with_each_attempt() -> None:
    assert [growing(4000)(None, attempt) for attempt in (1, 2, 3)] == [4000, 8000, 12000]
