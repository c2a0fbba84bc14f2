"""Trained models by their files, whatever study they are of."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cloudchamber.errors import InputError
from cloudchamber.storage import read_json

if TYPE_CHECKING:
    from cloudchamber.library.assignment_model import AssignmentModel
    from cloudchamber.library.generative_model import GenerativeModel, JetLevelModel
    from cloudchamber.library.neutrino_model import NeutrinoModel
    from cloudchamber.library.score_model import TrainedScore
    from cloudchamber.library.shower_model import ShowerCountModel, ShowerModel
    from cloudchamber.library.star_model import StarEstimator, StarPosterior
    from cloudchamber.library.tagger_model import TaggerModel

    Model: TypeAlias = (
        GenerativeModel
        | JetLevelModel
        | TaggerModel
        | AssignmentModel
        | NeutrinoModel
        | TrainedScore
        | StarEstimator
        | StarPosterior
        | ShowerModel
        | ShowerCountModel
    )

__all__ = ["LOADERS", "load_model"]

# Step that trains -> what its files are read with: "module:name" in this room.
LOADERS: Mapping[str, str] = {
    "train": "generative_model:GenerativeModel",
    "train-flow-map": "generative_model:GenerativeModel",
    "train-jet-flow": "generative_model:JetLevelModel",
    "train-tagger": "tagger_model:TaggerModel",
    "assignment train": "assignment_model:AssignmentModel",
    "neutrinos train": "neutrino_model:NeutrinoModel",
    "active_matter train": "score_model:TrainedScore",
    "neutron_stars train": "star_model:load_stars",
    "showers train": "shower_model:ShowerModel",
    "showers train-map": "shower_model:ShowerModel",
    "showers train-counts": "shower_model:ShowerCountModel",
}


def load_model(path: str | Path) -> "Model":
    """Read a trained model of any study; what it can do depends on what it is.

    Generative models of jets and of showers ``sample``; taggers, assignment networks, networks of neutrino events and
    point estimates of neutron stars ``predict``; scores of active matter ``evaluate``; posteriors of neutron stars
    ``draw``. docs/library.md has a table.

    Args:
        path: folder with weights and description, or one of these two files.

    Raises:
        InputError: a file is missing or damaged, the weights are not those of the description, or nothing here reads a
            model of its kind.
    """
    from cloudchamber.training.descriptions import description_beside

    weights = _weights(Path(path))
    description, described = description_beside(weights)
    record = described.get("provenance")
    step = str(record.get("step")) if isinstance(record, Mapping) else ""
    if step not in LOADERS:
        raise InputError(f"{description}: trained by the step '{step}', known are {sorted(LOADERS)}")
    module, _, name = LOADERS[step].partition(":")
    load: Callable[[Path, Path], Any] = getattr(import_module(f"cloudchamber.library.{module}"), name)
    return load(weights, description)


def _weights(path: Path) -> Path:
    """Return the weights that a path means."""
    if path.is_dir():
        found = sorted(path.glob("*.safetensors"))
        if len(found) != 1:
            what = "no weights (*.safetensors) in it" if not found else f"{len(found)} files of weights, name one"
            raise InputError(f"{path}: {what}")
        return found[0]
    if not path.is_file():
        raise InputError(f"{path}: no such file or folder")
    if path.suffix == ".json":
        return _weights_of(path)
    if path.suffix != ".safetensors":
        raise InputError(f"{path}: neither weights (*.safetensors) nor their description (*.json)")
    return path


def _weights_of(description: Path) -> Path:
    from cloudchamber.storage import sha256

    content = read_json(description)
    wanted = content.get("weights_sha256") if isinstance(content, dict) else None
    if wanted is None:
        raise InputError(f"{description}: not the description of a model: no weights_sha256")
    for weights in sorted(description.parent.glob("*.safetensors")):
        if sha256(weights) == wanted:
            return weights
    raise InputError(f"{description}: no weights (*.safetensors) beside it are those that it describes")
