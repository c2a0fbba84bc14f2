"""The step that evaluates networks with one F and one G at more steps than they were trained with."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cloudchamber.classification.jet_data import TaggingJets
from cloudchamber.classification.predict import jets_of_tagger
from cloudchamber.classification.taggers import CloudTagger, load_tagger
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError
from cloudchamber.metrics.shares import share_error
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.networks.cloud_rows import PackedRows
from cloudchamber.networks.particle_dynamics import ParticleDynamics
from cloudchamber.networks.splitting import Field, Flow, Part, Scheme, euler, evolve, midpoint
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries
from cloudchamber.storage import write_rows
from cloudchamber.studies.macaron.particles import exact_flow
from cloudchamber.studies.macaron.settings import RefinementSettings

__all__ = ["refine"]

_SCHEMES: tuple[Scheme, ...] = ("lie", "strang")


def refine(jets: Path, files: Mapping[str, Any], settings: RefinementSettings, output: Path) -> None:
    """Evaluate networks at more steps of the same motion, by both schemes, and write how far from the limit they are.

    The limit is the motion by Runge-Kutta 4 without any splitting. All is computed in double precision. Jets weigh the
    same here.

    Args:
        jets: file of :func:`cloudchamber.classification.jets.combine_classes`.
        files: "trainings", a list with "arm", "seed", "weights" and "description".
        settings: numbers of steps and of jets.
        output: CSV: model, seed, trained_scheme, trained_steps, scheme ("limit" for the limit), sub_step ("euler", as
            in the training, or "midpoint"), steps, state_error (root mean square distance of the particles from the
            limit, relative to how far they move), logit_error (the same of the logits, relative to their standard
            deviation), changed (share of jets with another class than in the limit), accuracy, accuracy_uncertainty
            (binomial) and jets.

    Raises:
        InputError: a file cannot be used, or a tagger is no network of this kind.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
        StorageError: the table cannot be written.
    """
    trainings = entries(files, "trainings", ("arm", "seed", "weights", "description"))
    refuse_one_training(trainings, "weights", ("arm",))
    # Jets weigh the same in all that follows: those with event weights are refused.
    read_clouds(jets)
    rows: list[dict[str, Any]] = []
    with progress("refinement", len(trainings), "networks") as bar:
        for item in trainings:
            description = Path(item["description"])
            stored = load_tagger(Path(item["weights"]), description)
            if not isinstance(stored.tagger, CloudTagger) or not isinstance(stored.tagger.network, ParticleDynamics):
                raise InputError(f"{description}: the tagger is no network of kind 'particle_dynamics'")
            data = jets_of_tagger(stored, description, jets, None)
            head = {"model": item["arm"], "seed": item["seed"]}
            rows += [head | row for row in _refined(stored.tagger, stored.tagger.network, data, settings)]
            bar.update()
    write_rows(output, rows)


@torch.no_grad()
def _refined(
    tagger: CloudTagger, network: ParticleDynamics, data: TaggingJets, settings: RefinementSettings
) -> Iterator[dict[str, Any]]:
    chosen = data.parts["test"]
    # From the whole part, since jets may lie ordered by class.
    chosen = chosen[:: max(1, -(-len(chosen) // settings.jets))]
    tagger.double()
    towers, jet, mask = tagger.seen(
        *(values.double() if values.is_floating_point() else values for values in data.of(chosen))
    )
    rows = PackedRows(mask)
    start = network.first(tagger.features(towers, jet, rows)[0])
    fields, target = network.fields(rows), data.target[chosen]

    def moved(make: Mapping[Part, Flow], scheme: Scheme, steps: int) -> tuple[Tensor, Tensor]:
        state = evolve(start, make, scheme, network.duration, steps)
        return state, network.read_out(state, rows)

    limit_steps = settings.limit_factor * network.steps
    longest = network.duration / limit_steps
    limit, limit_logits = moved(_flows(fields, lambda field: exact_flow(field, longest)), "unsplit", limit_steps)
    head = {"trained_scheme": network.scheme, "trained_steps": network.steps}
    scale, logit_scale = _rms(limit - start), float(limit_logits.std())

    def row(scheme: str, sub_step: str, steps: int, state: Tensor, logits: Tensor) -> dict[str, Any]:
        picked = logits.argmax(dim=1)
        accuracy = float((picked == target).double().mean())
        return head | {
            "scheme": scheme,
            "sub_step": sub_step,
            "steps": steps,
            "state_error": _rms(state - limit) / scale,
            "logit_error": _rms(logits - limit_logits) / logit_scale,
            "changed": float((picked != limit_logits.argmax(dim=1)).double().mean()),
            "accuracy": accuracy,
            "accuracy_uncertainty": share_error((picked == target).numpy()),
            "jets": len(target),
        }

    yield row("limit", "runge_kutta_4", limit_steps, limit, limit_logits)
    for name, make in (("euler", euler), ("midpoint", midpoint)):
        for scheme in _SCHEMES:
            for factor in settings.factors:
                steps = factor * network.steps
                yield row(scheme, name, steps, *moved(_flows(fields, make), scheme, steps))


def _flows(fields: Mapping[Part, Field], make: Any) -> Mapping[Part, Flow]:
    return {part: make(field) for part, field in fields.items()}


def _rms(values: Tensor) -> float:
    return float(values.square().mean().sqrt())
