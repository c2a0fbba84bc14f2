"""The step that measures what taggers cost: parameters, operations, time of training and of inference per jet."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy
from torch.utils.flop_counter import FlopCounterMode

from cloudchamber.classification.jet_data import TaggingJets
from cloudchamber.classification.predict import jets_of_tagger
from cloudchamber.classification.taggers import Tagger, load_tagger
from cloudchamber.devices import device_name, in_turns, present_device, seconds_of
from cloudchamber.errors import SettingsError
from cloudchamber.hardware import clock_of
from cloudchamber.settings.taggers import DenseTagger, TaggerCostSettings
from cloudchamber.storage import write_rows
from cloudchamber.training.described_weights import parameters

__all__ = ["flops", "measure_cost"]


@final
@dataclass(frozen=True)
class _Case:
    """One tagger with a batch of jets."""

    model: str
    tagger: Tagger
    optimizer: torch.optim.Optimizer
    inputs: tuple[Tensor, ...]
    target: Tensor
    flops: int
    towers: float

    def train(self) -> None:
        """Do one step of training."""
        self.tagger.train()
        self.optimizer.zero_grad()
        cross_entropy(self.tagger(*self.inputs), self.target).backward()
        torch.nn.utils.clip_grad_norm_(self.tagger.parameters(), 1.0)
        self.optimizer.step()

    @torch.inference_mode()
    def infer(self) -> None:
        """Classify the batch."""
        self.tagger.eval()(*self.inputs)


def measure_cost(
    jets: Path, high_level: Path | None, models: Mapping[str, Any], settings: TaggerCostSettings, output: Path
) -> None:
    """Measure taggers on the same test jets and write a row for each as CSV.

    Taggers take turns, round by round, after one round that warms up, so that a busy spell of the machine does not fall
    on one of them. The column ``clock`` says which time is meant: that of the process on a CPU, elapsed time on a GPU.
    What it takes to compute high-level features is not in the time of a dense network.

    Args:
        jets: cloud file of all classes.
        high_level: file of high-level features of the same jets; needed if there is a dense network.
        models: name -> mapping with ``weights`` and ``description``.
        settings: jets of a batch, rounds.
        output: CSV with ``parameters``, ``flops_per_jet`` (of one inference at the mean multiplicity; see
            :func:`flops`), ``training_seconds_per_jet`` and ``inference_seconds_per_jet`` (medians of the rounds, and
            their ``_lowest`` and ``_highest``).

    Raises:
        InputError: a file cannot be used.
        SettingsError: a key of ``models`` is missing.
    """
    device = present_device()
    cases = [_case(name, entry, jets, high_level, settings.batch_size, device) for name, entry in models.items()]

    def measure(case: _Case) -> tuple[float, ...]:
        return tuple(seconds_of(work, device) / len(case.target) for work in (case.train, case.infer))

    found = in_turns("cost", cases, settings.rounds, measure, lambda case: case.model)
    clock, _ = clock_of(device.type)
    measured = {
        "rounds": settings.rounds,
        "device": device_name(device),
        "clock": clock,
        "threads": torch.get_num_threads(),
    }
    write_rows(output, [_row(case, seconds) | measured for case, seconds in zip(cases, found, strict=True)])


@torch.no_grad()
def flops(tagger: Tagger, inputs: tuple[Tensor, ...]) -> int:
    """Return the floating-point operations of the matrix products of one evaluation.

    A multiplication with its addition counts as two. Element by element operations, such as activations, are left out.
    """
    # The fused attention of CPUs would not be counted.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        tagger.eval()(*inputs)
    return counter.get_total_flops()


def _case(
    name: str, entry: Mapping[str, Any], jets: Path, high_level: Path | None, batch_size: int, device: torch.device
) -> _Case:
    if not isinstance(entry, Mapping):
        raise SettingsError(f"--models: {name}: expected keys and values")
    missing = sorted({"weights", "description"} - set(entry))
    if missing:
        raise SettingsError(f"--models: {name}: no key {missing}")
    description = Path(entry["description"])
    stored = load_tagger(Path(entry["weights"]), description)
    data = jets_of_tagger(
        stored, description, jets, high_level if isinstance(stored.settings.network, DenseTagger) else None
    )
    tagger, rows = stored.tagger, data.parts["test"][:batch_size]
    typical, towers = _typical(data)
    count = flops(tagger, data.of(typical))
    tagger.to(device)
    inputs = tuple(values.to(device) for values in data.of(rows))
    optimizer = torch.optim.AdamW(tagger.parameters())
    return _Case(name, tagger, optimizer, inputs, data.target[rows].to(device), count, towers)


def _typical(data: TaggingJets) -> tuple[Tensor, float]:
    """Return the row of the test jet nearest to the mean multiplicity, and that mean; nan without towers."""
    test = data.parts["test"]
    if data.features:
        return test[:1], float("nan")
    counts = data.inputs[-1][test].sum(dim=1).double()
    return test[(counts - counts.mean()).abs().argmin()].unsqueeze(0), float(counts.mean())


def _row(case: _Case, measured: Sequence[tuple[float, ...]]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": case.model,
        "parameters": parameters(case.tagger),
        "flops_per_jet": case.flops,
        "mean_towers": case.towers,
        "batch_size": len(case.target),
    }
    for name, seconds in zip(("training", "inference"), zip(*measured, strict=True), strict=True):
        row[f"{name}_seconds_per_jet"] = statistics.median(seconds)
        row[f"{name}_lowest"], row[f"{name}_highest"] = min(seconds), max(seconds)
    return row
