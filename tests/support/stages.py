"""Every command that writes, on inputs of some kilobytes."""

import json
import runpy
from collections.abc import Callable, Mapping
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from command_server import CommandServer
from hepmc_files import random_events, write_hepmc
from prepared_jets import raw_jets, write_prepared_jets
from project_copy import REPOSITORY
from root_files import random_towers, write_delphes
from stage import OUTPUT, TABLE, TRAINED, Stage, training_settings
from tagging_stages import TAGGING_STAGES, make_tagging_inputs, train_tagger

from cloudchamber.analysis import STUDIES, settings_of
from cloudchamber.cloud_writer import write_clouds

__all__ = [
    "DRAWN",
    "INGESTION",
    "PROCESS",
    "STAGES",
    "TRAININGS",
    "WITH_HEPMC",
    "WRITERS",
    "Stage",
    "make_inputs",
    "with_settings",
]

JETS = 200
# Two chunks, which shards of a sample consist of.
DRAWN = 80
METRICS = {"bins": 5, "bootstraps": 2, "energy_mover_jets": 4, "energy_mover_batches": 2}
SAMPLER = {"solver": "midpoint", "evaluations": 4}
PROCESS = {"title": "top", "commands": ["Top:gg2ttbar = on"], "pt_hat": [500, 700], "events": 3}
INGESTION = {"clouds": {"kind": "events"}, "max_particles": 20}
RECLUSTERED = {"clouds": {"kind": "reclustered", "pt_window": [10, 1000]}, "max_particles": 20}
WITH_HEPMC = find_spec("pyhepmc") is not None
EXTERNAL = bytes(range(256)) * 40


def model_settings(steps: int, **changes: Any) -> dict[str, Any]:
    network = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 4, "time_features": 4}
    training = training_settings(steps, **changes)
    return {"network": network, "objective": {"kind": "flow_matching"}, "training": training}


def flow_map_settings(steps: int, **changes: Any) -> dict[str, Any]:
    training = training_settings(steps, **changes)
    return {"segments": 2, "trajectories": 12, "teacher_sampler": SAMPLER, "training": training}


def flow_settings(steps: int, **changes: Any) -> dict[str, Any]:
    training = training_settings(steps, **changes)
    return {"kind": "flow", "transforms": 1, "bins": 3, "hidden": [8], "training": training}


def posterior_settings(steps: int, **changes: Any) -> dict[str, Any]:
    network = {"neighbours": 2, "blocks": [[4], [4]], "fusion": 4, "dense": 4}
    return {"network": network, "training": training_settings(steps, **changes), "jets_per_class": 12}


def teacher_test_settings(steps: int, **changes: Any) -> dict[str, Any]:
    network = {"neighbours": 2, "blocks": [[4], [4]], "fusion": 4, "dense": 4}
    return {"network": network, "training": training_settings(steps, **changes), "pairs": 60}


def with_settings(command: list[str], **changes: Any) -> list[str]:
    """Return a command with other settings."""
    place = command.index("--settings") + 1
    return [*command[:place], json.dumps(json.loads(command[place]) | changes), *command[place + 1 :]]


def _training(name: str, settings: Callable[..., dict[str, Any]], outputs: Mapping[str, str]) -> Callable[..., Stage]:
    def stage(steps: int, **changes: Any) -> Stage:
        def arguments(inputs: Path) -> list[str | Path]:
            source: list[str | Path] = [inputs / "prepared.h5"]
            if name == "log-posterior":
                source = ["--truth", inputs / "prepared.h5", "--classes", f"model={inputs / 'sample.h5'}"]
            if name == "teacher-test":
                # A sample is its own teacher here: the same jets, told apart by nothing.
                source = ["--student", inputs / "sample.h5", "--teacher", inputs / "sample.h5"]
            if name == "train-flow-map":
                source += ["--teacher", inputs / "weights.safetensors", inputs / "description.json"]
            chosen = json.dumps(settings(steps, **changes))
            return [*source, "--settings", chosen, "--seed", "3", "--state", "{work}/state"]

        return Stage(
            name, outputs, arguments, "rows and tables" if name in ("log-posterior", "teacher-test") else "weights"
        )

    return stage


_SHARED_TRAININGS: Mapping[str, Callable[..., Stage]] = {
    "train": _training("train", model_settings, TRAINED),
    "train-flow-map": _training("train-flow-map", flow_map_settings, TRAINED),
    "train-jet-flow": _training("train-jet-flow", flow_settings, TRAINED),
    "log-posterior": _training(
        "log-posterior", posterior_settings, {"history": ".csv", "confusion": ".csv", "output": ".csv"}
    ),
    "teacher-test": _training("teacher-test", teacher_test_settings, {"history": ".csv", "output": ".csv"}),
    "train-tagger": train_tagger,
}


def _model(inputs: Path) -> list[str | Path]:
    return ["--model", inputs / "weights.safetensors", inputs / "description.json"]


def _metrics(inputs: Path) -> list[str | Path]:
    return ["--settings", json.dumps(METRICS), "--seed", "3"]


def _sampling_time(inputs: Path) -> list[str | Path]:
    files = {"weights": str(inputs / "weights.safetensors"), "description": str(inputs / "description.json")}
    models = {"epic": {"sampler": "midpoint", "settings": SAMPLER, **files}}
    settings = {"multiplicities": [3], "jets": 2, "rounds": 1}
    return ["--models", json.dumps(models), "--settings", json.dumps(settings)]


def _evaluate(inputs: Path) -> list[str | Path]:
    entry = {"dataset": "top", "name": "model", "sampler": "midpoint", "seed": 1}
    samples = [{**entry, "clouds": str(inputs / "sample.h5"), "comparison": str(inputs / "comparison.csv")}]
    posteriors = [{"dataset": "top", "seed": 1, "path": str(inputs / "posterior.csv")}]
    jets = [{"dataset": "top", "seed": 1, "path": str(inputs / "jets.csv")}]
    files = {"samples": samples, "posteriors": posteriors, "teacher_tests": [], "jets": jets}
    return ["--study", "jets", "--files", json.dumps(files)]


def _draw(inputs: Path) -> list[str | Path]:
    entry = {"name": "model", "title": "model", "seed": 1, "path": str(inputs / "history.csv")}
    return ["jet_generation/histories", "--files", json.dumps({"title": "trainings", "histories": [entry]})]


def _tabulate(inputs: Path) -> list[str | Path]:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    settings = settings_of(config, REPOSITORY).model_dump(mode="json")
    return ["settings", "--files", json.dumps({"settings": settings})]


def _scan(inputs: Path) -> list[str | Path]:
    scan = {"models": ["model"], "solvers": ["euler"], "evaluations": [2], "jets": 40}
    truth = ["--truth", inputs / "prepared.h5", "--truth-observables", inputs / "truth.h5"]
    settings = ["--metrics", json.dumps(METRICS), "--settings", json.dumps(scan), "--seed", "3"]
    return [inputs / "jets.h5", *_model(inputs), *truth, *settings]


def _delphes_counts(inputs: Path) -> list[str | Path]:
    process = ["--settings", json.dumps(PROCESS), "--delphes", "some version"]
    return [inputs / "reclustered.h5", "--observables", inputs / "reclustered_observables.h5", *process]


def _model_card(inputs: Path) -> list[str | Path]:
    texts = dict.fromkeys(("dataset_title", "origin", "title"), "made up")
    training = {"seed": 1, **{option: str(inputs / f"{option}{suffix}") for option, suffix in TRAINED.items()}}
    names = {"dataset": "top", "name": "model", "study": "jets"}
    files = {"prepared": str(inputs / "prepared.h5"), "metrics": str(inputs / "metrics.csv")}
    card = {
        **texts,
        **names,
        **files,
        "simulated": True,
        "trainings": [training],
        "samplers": {"midpoint": SAMPLER},
    }
    return ["generator", "--files", json.dumps(card)]


def _data_table(inputs: Path) -> list[str | Path]:
    return ["--files", json.dumps({"files": [{"file": str(inputs / "towers.root"), "source": "made up"}]})]


def _summarise(inputs: Path) -> list[str | Path]:
    study = {
        "name": "gating",
        "title": "Gating",
        "question": "How much?",
        "files": {name: str(inputs / f"{name}.csv") for name in ("counts", "identities")},
        "picture": str(inputs / "figure.png"),
        "folder": str(inputs),
    }
    return ["gating", "--files", json.dumps({"scale": "tiny", "seed": 1, "studies": [study]})]


def _compare(inputs: Path) -> list[str | Path]:
    truth = ["--truth", inputs / "prepared.h5", "--truth-observables", inputs / "truth.h5"]
    sample = ["--sample", inputs / "sample.h5", "--sample-observables", inputs / "observables.h5"]
    return [*truth, *sample, *_metrics(inputs)]


_ALL = (
    Stage(
        "simulate",
        {"output": ".root"},
        lambda inputs: ["--name", "top", "--settings", json.dumps(PROCESS), "--seed", "3"],
        "ROOT",
    ),
    *(
        [
            Stage(
                "detect",
                {"output": ".root"},
                lambda inputs: [inputs / "a.hepmc", "--settings", "{}", "--seed", "3"],
                "ROOT",
            )
        ]
        if WITH_HEPMC
        else []
    ),
    Stage("ingest", OUTPUT, lambda inputs: [inputs / "towers.root", "--settings", json.dumps(INGESTION)], "clouds"),
    Stage(
        "ingest-group",
        OUTPUT,
        lambda inputs: [inputs / "towers.root", "--settings", json.dumps(INGESTION)],
        "group of clouds",
    ),
    Stage("join-groups", OUTPUT, lambda inputs: [inputs / "group.h5"], "clouds"),
    Stage(
        "prepare",
        {"output": ".h5", "split-output": ".h5"},
        lambda inputs: [inputs / "clouds.h5", "--settings", "{}", "--seed", "3"],
        "clouds and split",
    ),
    *(make(20) for make in _SHARED_TRAININGS.values()),
    Stage(
        "draw-jets", OUTPUT, lambda inputs: [inputs / "prepared.h5", "--jets", str(DRAWN), "--seed", "3"], "observables"
    ),
    Stage(
        "sample",
        OUTPUT,
        lambda inputs: [inputs / "jets.h5", *_model(inputs), "--settings", json.dumps(SAMPLER), "--seed", "3"],
        "clouds",
    ),
    Stage("gather-sample", OUTPUT, lambda inputs: [inputs / f"sample_{number}.h5" for number in (2, 1)], "clouds"),
    Stage(
        "sample-marginals",
        OUTPUT,
        lambda inputs: [inputs / "prepared.h5", "--jets", inputs / "jets.h5", "--seed", "3"],
        "clouds",
    ),
    Stage("observe", OUTPUT, lambda inputs: [inputs / "sample.h5"], "observables"),
    Stage("delphes-counts", {"output": ".json"}, _delphes_counts, "text"),
    Stage("compare", TABLE, _compare, "table"),
    Stage(
        "compare-jets",
        TABLE,
        lambda inputs: ["--truth", inputs / "prepared.h5", "--jets", inputs / "jets.h5", *_metrics(inputs)],
        "table",
    ),
    Stage("evaluate", TABLE, _evaluate, "table"),
    Stage("solver-scan", TABLE, _scan, "rows"),
    Stage("sampling-time", TABLE, _sampling_time, "rows"),
    Stage("draw", {"pdf": ".pdf", "png": ".png"}, _draw, "figure"),
    Stage("tabulate", {"html": ".html", "csv": ".csv", "latex": ".tex"}, _tabulate, "texts"),
    Stage("summarise", {"html": ".html", "csv": ".csv"}, _summarise, "page and table"),
    Stage("model-card", {"output": ".md"}, _model_card, "text"),
    Stage("data-table", TABLE, _data_table, "rows"),
    Stage("to-jetnet", OUTPUT, lambda inputs: [inputs / "sample.h5"], "JetNet"),
    Stage("from-jetnet", OUTPUT, lambda inputs: [inputs / "jetnet.hdf5"], "clouds"),
    Stage(
        "download",
        {"output": ".hdf5"},
        lambda inputs: ["jetnet150_gluon", "--mirror", inputs / "mirror", "--lock", inputs / "lock.json"],
        "download",
    ),
    *TAGGING_STAGES,
)
# Stages of a study's own stand in tests/studies/STUDY/fault_stages.py, with ``make_inputs`` where they need files and
# ``TRAININGS`` where they train.
_OF_STUDIES = {
    study: runpy.run_path(str(path))
    for study in STUDIES
    if (path := REPOSITORY / "tests/studies" / study / "fault_stages.py").is_file()
}
STAGES: Mapping[str, Stage] = {
    stage.name: stage for stage in (*_ALL, *(stage for found in _OF_STUDIES.values() for stage in found["STAGES"]))
}
# Command -> its stage for a number of steps and other settings of the loop.
TRAININGS: Mapping[str, Callable[..., Stage]] = {
    **_SHARED_TRAININGS,
    **{name: make for found in _OF_STUDIES.values() for name, make in found.get("TRAININGS", {}).items()},
}
# What is tried with faults while files are written: one stage of each writer, one of each study, all that train.
WRITERS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *{stage.writer: name for name, stage in reversed(STAGES.items())}.values(),
            *(found["STAGES"][0].name for found in _OF_STUDIES.values()),
            *TRAININGS,
        ]
    )
)


def make_inputs(server: CommandServer, folder: Path) -> None:
    """Write what the stages read into ``folder``, by the stages themselves where they can."""
    rng = np.random.default_rng(11)
    write_prepared_jets(folder / "prepared.h5", JETS)
    write_clouds(folder / "clouds.h5", raw_jets(JETS, 8, rng))
    write_delphes(folder / "towers.root", {"Tower": random_towers(rng, 40, 30)})
    if WITH_HEPMC:
        write_hepmc(folder / "a.hepmc", random_events(rng, 5))
    (folder / "mirror").mkdir()
    (folder / "mirror/g150.hdf5").write_bytes(EXTERNAL)
    pin = {"bytes": len(EXTERNAL), "checksum": f"sha256:{sha256(EXTERNAL).hexdigest()}"}
    (folder / "lock.json").write_text(json.dumps({"jetnet150_gluon": pin}))

    def make(name: str, outputs: Mapping[str, str]) -> None:
        server.succeed(STAGES[name].command(folder, folder / name))
        for option, target in outputs.items():
            STAGES[name].paths(folder / name)[option].rename(folder / target)

    make("train", {option: f"{option}{suffix}" for option, suffix in TRAINED.items()})
    make("draw-jets", {"output": "jets.h5"})
    make("sample", {"output": "sample.h5"})
    make("ingest-group", {"output": "group.h5"})
    for number in (1, 2):
        sample = STAGES["sample"].command(folder, folder / "sample")
        server.succeed([*sample[:-1], folder / f"sample_{number}.h5", "--shard", f"{number}-of-2"])
    for source, target in (("prepared.h5", "truth.h5"), ("sample.h5", "observables.h5")):
        server.succeed(["observe", folder / source, "--output", folder / target])
    make("compare", {"output": "comparison.csv"})
    make("compare-jets", {"output": "jets.csv"})
    make("log-posterior", {"output": "posterior.csv"})
    make("evaluate", {"output": "metrics.csv"})
    make("gating count", {"counts": "counts.csv"})
    make("gating check-identities", {"output": "identities.csv"})
    for found in _OF_STUDIES.values():
        if "make_inputs" in found:
            found["make_inputs"](make, folder)
    make("draw", {"png": "figure.png"})
    make("to-jetnet", {"output": "jetnet.hdf5"})
    clouds = folder / "reclustered.h5"
    server.succeed(["ingest", folder / "towers.root", "--settings", json.dumps(RECLUSTERED), "--output", clouds])
    server.succeed(["observe", clouds, "--output", folder / "reclustered_observables.h5"])
    make_tagging_inputs(make, folder)
