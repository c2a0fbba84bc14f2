"""The drawing step of the jet level: jets to generate, from the training jets or from a trained flow."""

import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from cloudchamber import seeds
from cloudchamber.cloud_file import open_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.generative.jet_features import JetFeatures, write_jets
from cloudchamber.generative.jet_flow import JetFlow, draw_from_flow
from cloudchamber.generative.jet_scales import JetScales
from cloudchamber.preparation.origin import ORIGIN, origin_of
from cloudchamber.settings.jet_level import JetFlowSettings, JetLevelSettings, TrainingJets
from cloudchamber.storage import provenance, sha256
from cloudchamber.training.described_weights import load_stored

__all__ = ["draw_jets"]


def draw_jets(
    source: Path,
    model: Sequence[Path] | None,
    jets: int,
    seed: int,
    output: Path,
    at_most_training_jets: bool = False,
) -> None:
    """Draw ``jets`` jets and write them to ``output``.

    Args:
        source: prepared jets; nothing of the test part is read.
        model: weights and description of a flow that was trained on them, or nothing to draw from the training jets
            themselves, with replacement.
        jets: how many.
        seed: of the draw.
        output: where the file of observables goes.
        at_most_training_jets: whether to draw no more than there are training jets, which give metrics their floor.

    Raises:
        SettingsError: ``model`` are not two files.
        InputError: the jets are not prepared; the flow is missing, damaged or of another data set, or most of its draws
            are impossible.
    """
    if model and len(model) != 2:
        raise SettingsError("--model: expected weights and description of a flow, or nothing")
    with open_clouds(source) as clouds:
        train = JetFeatures.of_part(clouds, "train", source)
        origin = origin_of(clouds.meta)
    asked = jets
    if at_most_training_jets and len(train) < jets:
        jets = len(train)
        sys.stderr.write(f"draw-jets: {jets} jets are drawn and not {asked}, as many as there are training jets\n")
    settings: JetLevelSettings = TrainingJets()
    redrawn = 0
    if not model:
        drawn = train[seeds.generator(seed, "conditions").choice(len(train), size=jets, replace=True)]
    else:
        settings, flow, scales = _load_flow(model[0], model[1], source)
        generator = torch.Generator().manual_seed(seeds.integer_seed(seed, "conditions"))
        columns, redrawn = draw_from_flow(flow, scales, jets, generator)
        drawn = JetFeatures(**columns, width=train.width)
    meta = {
        "source": settings.kind,
        "redrawn": redrawn,
        "asked": asked,
        ORIGIN: origin,
        "provenance": provenance("draw-jets", settings.model_dump(mode="json"), [source, *(model or ())], seed),
    }
    write_jets(output, drawn, meta)


def _load_flow(weights: Path, description: Path, source: Path) -> tuple[JetFlowSettings, JetFlow, JetScales]:
    stored = load_stored(
        weights, description, JetFlowSettings, lambda settings, described: JetFlow(settings), ("scales", "provenance")
    )
    if sha256(source) not in stored.description["provenance"]["inputs"].values():
        raise InputError(f"{description}: not trained on {source} (SHA-256 differs); train it again")
    return stored.settings, stored.network, JetScales.from_json(stored.description["scales"])
