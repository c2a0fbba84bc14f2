"""Commands of the macaron study that write, for the tests of faults, and what they read."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from pronged_jets import tagging_clouds, write_tagging_jets
from stage import TABLE, TRAINED, Stage, training_settings

from cloudchamber.classification.predict import predict_classes
from cloudchamber.classification.train import train_tagger
from cloudchamber.settings.taggers import TaggerSettings

_SYSTEM = {"title": "balanced", "strength": 1.0, "steps": [4, 8], "exact_step": 0.0625}
_SPLITTING = {"systems": {"balanced": _SYSTEM}, "particles": 3, "draws": 2, "path_steps": 2}
_SIZES = {"heads": 2, "width": 4, "feed_forward": 4, "hidden": [4], "towers": 16}
_DYNAMICS = {"kind": "particle_dynamics", "steps": 2, **_SIZES}


def _trained(inputs: Path) -> dict[str, Path]:
    return {option: inputs / f"dynamics_{option}{suffix}" for option, suffix in TRAINED.items()}


def _refine(inputs: Path) -> list[str | Path]:
    training = {"arm": "dynamics", "seed": 1} | {option: str(path) for option, path in _trained(inputs).items()}
    settings = {"factors": [1, 2], "limit_factor": 2, "jets": 6}
    files = json.dumps({"trainings": [training]})
    return [inputs / "macaron_jets.h5", "--files", files, "--settings", json.dumps(settings)]


def _evaluate(inputs: Path) -> list[str | Path]:
    known = {"name": "standard", "arm": "standard", "learning_rate": 0.01}
    scores = {"scores": str(inputs / "dynamics_scores.h5"), "history": str(inputs / "dynamics_history.csv")}
    splitting = {name: str(inputs / f"splitting_{name}.csv") for name in ("errors", "orders")}
    files = json.dumps({**splitting, "scores": [{**known, "seed": 1, **scores}]})
    return [inputs / "macaron_jets.h5", "--files", files, "--settings", json.dumps({"bootstraps": 3}), "--seed", "3"]


STAGES = (
    Stage(
        "macaron split",
        {"errors": ".csv", "orders": ".csv", "paths": ".csv"},
        lambda inputs: ["--settings", json.dumps(_SPLITTING), "--seed", "3"],
        "rows",
    ),
    Stage("macaron refine", TABLE, _refine, "rows"),
    Stage("macaron evaluate", {"metrics": ".csv", "differences": ".csv"}, _evaluate, "table"),
)


def make_inputs(make: Callable[[str, Mapping[str, str]], None], folder: Path) -> None:
    """Make what these commands read: jets, a network with one F and one G and its scores, orders."""
    jets = write_tagging_jets(folder / "macaron_jets.h5", tagging_clouds())
    settings = TaggerSettings.model_validate({"network": _DYNAMICS, "training": training_settings(4)})
    trained = _trained(folder)
    train_tagger(jets, None, settings, 1, None, folder / "dynamics_state", **trained)
    predict_classes(jets, None, trained["weights"], trained["description"], folder / "dynamics_scores.h5")
    make("macaron split", {name: f"splitting_{name}.csv" for name in ("errors", "orders")})
