"""A flow map of one and two evaluations against many-step sampling with the same network: seconds of a jet.

Its teacher takes the 200 evaluations of the midpoint solver; the padded form takes the 198 of the published recipe.
"""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from benchmarks.padded_epic import PaddedEpic
from benchmarks.timing import Measurement, measure
from cloudchamber.generative.objectives import build_path_objective
from cloudchamber.generative.sampling import Sampler
from cloudchamber.networks.epic import Epic
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.settings.networks import EpicSettings
from cloudchamber.settings.objectives import FlowMatchingSettings

__all__ = ["measurements"]

_JETS, _PARTICLES, _FEATURES = 64, 30, 3
_TEACHER, _PUBLISHED = 200, 198
_TARGET = 100.0
# A round of many-step sampling takes many seconds, beside which single disturbances are short.
_ROUNDS = 2


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure the network with 561,330 parameters on jets of 30 particles."""
    for evaluations in (1, 2):
        for name, peer in (
            (f"midpoint with {_TEACHER} evaluations", _drawing("midpoint", _TEACHER)),
            (f"padded float32 with {_PUBLISHED} evaluations", _padded()),
        ):
            own, other = measure(_drawing("flow_map", evaluations), peer, min(rounds, _ROUNDS))
            text = f"N={_PARTICLES}, {evaluations} evaluation{'s' if evaluations > 1 else ''} against {name}"
            yield Measurement("flow map", text, own, other, _JETS, "jets", _TARGET)


def _drawing(solver: str, evaluations: int) -> Callable[[], Tensor]:
    network = Epic(_FEATURES, 0, EpicSettings(), intervals=solver == "flow_map")
    objective = build_path_objective(FlowMatchingSettings(kind="flow_matching"))
    settings = SamplerSettings.model_validate({"solver": solver, "evaluations": evaluations})
    sampler = Sampler(network, objective, settings, _FEATURES)
    counts, nothing = torch.full((_JETS,), _PARTICLES), torch.zeros(_JETS, 0)
    return lambda: sampler.draw(counts, nothing, seed=1)


def _padded() -> Callable[[], Tensor]:
    network = PaddedEpic(_FEATURES, 0, EpicSettings())
    network.fold()
    mask, nothing = torch.ones(_JETS, _PARTICLES, dtype=torch.bool), torch.zeros(_JETS, 0)

    @torch.inference_mode()
    def draw() -> Tensor:
        state = torch.randn(_JETS, _PARTICLES, _FEATURES)
        for step in range(_PUBLISHED):
            state = state - network(state, mask, torch.full((_JETS, 1), 1 - step / _PUBLISHED), nothing) / _PUBLISHED
        return state

    return draw
