"""Small score networks on the systems of tests."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from cloudchamber.settings.base import parse
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.score_settings import ScoreSettings
from cloudchamber.studies.active_matter.systems.system import System

MLP: dict[str, Any] = {"kind": "mlp", "hidden": [8]}
GLOBAL: dict[str, Any] = {"kind": "transformer", "layers": 2, "heads": 2, "width": 8, "feed_forward": 8}
LOCAL: dict[str, Any] = {**GLOBAL, "neighbours": 5}
TURNING: dict[str, Any] = {**LOCAL, "kind": "equivariant"}


def model(network: dict[str, Any], one: System, drives: tuple[float, ...] = (1.0,), **changes: Any) -> ScoreModel:
    settings = parse(ScoreSettings, {"network": network, "training": {"steps": 1}, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        made = ScoreModel(settings, one, [1.0] * one.channels, drives)
        # The last layer begins with zeros.
        for parameter in made.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.3)
    return made.double()


def states_of(one: System, number: int, seed: int = 1) -> Tensor:
    return torch.from_numpy(one.initial(np.random.default_rng(seed), number))


def ones(states: Tensor) -> Tensor:
    return torch.ones(len(states), 1, 1, dtype=states.dtype)
