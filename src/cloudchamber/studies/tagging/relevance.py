"""Which towers a tagger looks at: the attention they receive, and gradient times input."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cloudchamber.classification.jet_data import class_names
from cloudchamber.classification.taggers import CloudTagger, TowerTagger, load_tagger
from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.networks.cloud_rows import AttentiveClassifier, PackedRows
from cloudchamber.storage import provenance

__all__ = ["attention_received", "gradient_times_input", "tower_relevance"]

_TOWERS = ("pt_rel", "eta_rel", "phi_rel")


@torch.no_grad()
def attention_received(tagger: CloudTagger, towers: Tensor, jet: Tensor, mask: Tensor) -> Tensor:
    """Return the share of attention that each tower receives, (B, P), the mean over towers, heads and layers.

    It sums to one over the towers of a jet; in padded slots, and for towers the tagger does not look at, it is zero.

    Args:
        tagger: with a network of attention.
        towers, jet, mask: as :class:`cloudchamber.classification.taggers.TowerTagger` takes them.

    Raises:
        TypeError: the network has no attention.
    """
    network = tagger.eval().network
    if not isinstance(network, AttentiveClassifier):
        raise TypeError(f"{type(network).__name__} has no attention")
    seen = tagger.seen(towers, jet, mask)
    rows = PackedRows(seen[2])
    layers = network.attention_weights(*tagger.features(seen[0], seen[1], rows), rows)
    received = [torch.cat([block.mean(dim=(1, 2)).flatten() for block in blocks]) for blocks in layers]
    share = rows.pad(torch.stack(received).mean(dim=0).unsqueeze(1)).squeeze(2)
    return torch.nn.functional.pad(share, (0, mask.shape[1] - share.shape[1]))


def gradient_times_input(tagger: TowerTagger, towers: Tensor, jet: Tensor, mask: Tensor) -> Tensor:
    """Return the gradient of the largest logit times the input of each tower, (B, P), summed over its coordinates.

    For small changes it is what the logit would lose without what the tower has in pT and distance to the jet axis.

    Args:
        tagger: any network of towers.
        towers, jet, mask: as :class:`cloudchamber.classification.taggers.TowerTagger` takes them.
    """
    tagger.eval()
    inputs = towers.detach().clone().requires_grad_()
    winning = tagger(inputs, jet, mask).max(dim=1).values.sum()
    (gradient,) = torch.autograd.grad(winning, inputs)
    return torch.where(mask, (gradient * inputs.detach()).sum(dim=2), 0.0)


def tower_relevance(jets: Path, weights: Path, description: Path, output: Path) -> None:
    """Write one test jet of each class with how relevant its towers are to the tagger.

    Of each class it is the jet whose number of towers is nearest to the median. Behind the columns of the towers stand
    ``attention``, the share that a tower receives, and ``gradient_times_input``; the probability of the true class is a
    feature, ``probability``.

    Args:
        jets: cloud file of all classes.
        weights, description: a tagger with attention.
        output: cloud file.

    Raises:
        InputError: a file cannot be used, the tagger has no attention, or a class has no test jet.
    """
    stored = load_tagger(weights, description)
    tagger = stored.tagger
    if not isinstance(tagger, CloudTagger) or not isinstance(tagger.network, AttentiveClassifier):
        raise InputError(f"{description}: a tagger of kind '{stored.settings.network.kind}' has no attention")
    test = read_clouds(jets, weighted=True).part("test")
    if class_names(test, jets) != stored.classes:
        raise InputError(f"{jets}: not the classes {list(stored.classes)} of the tagger {description}")
    examples = test[np.array([_typical(test, number, name, jets) for number, name in enumerate(stored.classes)])]
    towers = torch.from_numpy(np.stack([examples.point(name) for name in _TOWERS], axis=2))
    jet = torch.from_numpy(np.stack([examples.feature(name) for name in ("jet_pt", "jet_eta")], axis=1))
    mask = torch.from_numpy(examples.mask)
    attention = attention_received(tagger, towers, jet, mask)
    gradient = gradient_times_input(tagger, towers, jet, mask)
    with torch.no_grad():
        probability = tagger(towers, jet, mask).softmax(dim=1).diagonal()
    record = provenance(
        "tagging relevance", stored.settings.network.model_dump(mode="json"), [jets, weights, description]
    )
    values = np.stack([attention.numpy(), gradient.numpy()], axis=2)
    write_clouds(
        output,
        replace(
            examples,
            points=np.concatenate([examples.points, values], axis=2),
            point_columns=(*examples.point_columns, Column("attention"), Column("gradient_times_input")),
            features=np.column_stack([examples.features, probability.numpy()]),
            feature_columns=(*examples.feature_columns, Column("probability")),
            meta={"classes": test.meta["classes"], "provenance": record},
        ),
    )


def _typical(test: Clouds, number: int, name: str, path: Path) -> int:
    """Return the row of the jet of a class with the most usual number of towers."""
    rows = np.flatnonzero(test.label("class") == number)
    if not len(rows):
        raise InputError(f"{path}: the test part has no jet of class '{name}'")
    counts = test.multiplicity[rows]
    return int(rows[np.abs(counts - np.median(counts)).argmin()])
