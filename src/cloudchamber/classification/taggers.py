"""Taggers: networks with their inputs, built from settings, and their files."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn

from cloudchamber.classification.inputs import HighLevelInputs, TowerInputs, aligned
from cloudchamber.networks.cloud_rows import CloudClassifier, CloudRows, PackedRows, PaddedRows
from cloudchamber.networks.dense import Dense
from cloudchamber.networks.particle_dynamics import ParticleDynamics
from cloudchamber.networks.particle_flow import ParticleFlow
from cloudchamber.networks.particle_transformer import ParticleTransformer
from cloudchamber.networks.particlenet import ParticleNet
from cloudchamber.networks.transformer_encoder import TransformerEncoder
from cloudchamber.settings.taggers import (
    DenseTagger,
    ParticleDynamicsTagger,
    ParticleFlowTagger,
    ParticleNetTagger,
    ParticleTransformerTagger,
    TaggerNetworkSettings,
    TaggerSettings,
    TowerTaggerSettings,
    TransformerTagger,
)
from cloudchamber.training.described_weights import load_stored, parameters, save_described

__all__ = [
    "CUT_AT",
    "CloudTagger",
    "GraphTagger",
    "HighLevelTagger",
    "StoredTagger",
    "Tagger",
    "TowerTagger",
    "build_tagger",
    "load_tagger",
    "save_tagger",
]

# Key of what is known of the training, with the number of towers that its jets were cut to.
CUT_AT = "cut_at"


class Tagger(nn.Module, ABC):
    """Abstract classifier of jets; ``forward`` maps tensors with a row per jet to (B, K) logits.

    Attributes:
        input_names: names of those tensors, in order.
    """

    input_names: ClassVar[tuple[str, ...]]

    @abstractmethod
    def fit(self, *inputs: Tensor) -> None:
        """Standardise the features by those of the jets of ``inputs``, which are those of ``forward``.

        Raises:
            InputError: there are none, or a feature is constant.
        """

    @abstractmethod
    def padded(self, *inputs: Tensor) -> Tensor:
        """Return what ``forward`` does in evaluation mode, by dense operations on arrays of fixed shape."""


@final
class HighLevelTagger(Tagger):
    """A dense network on (B, H) high-level features."""

    input_names = ("features",)

    def __init__(self, settings: DenseTagger, features: Sequence[str], classes: int) -> None:
        super().__init__()
        self.inputs = HighLevelInputs(features)
        self.network = Dense(len(features), settings.hidden, classes, settings.dropout)

    def fit(self, *inputs: Tensor) -> None:
        self.inputs.fit(*inputs)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, K) logits."""
        return self.network(self.inputs(features))

    def padded(self, *inputs: Tensor) -> Tensor:
        return self.network(self.inputs(*inputs))


class TowerTagger(Tagger, ABC):
    """Abstract network on towers.

    ``forward`` takes towers (B, P, 3): pt_rel, eta_rel, phi_rel; jet (B, 2): transverse momentum [GeV] and eta; mask
    (B, P) bool, true for real towers. What lies in other slots has no influence.
    """

    input_names = ("towers", "jet", "mask")

    def __init__(self, inputs: TowerInputs, settings: TowerTaggerSettings) -> None:
        super().__init__()
        self.inputs, self.towers, self.aligned = inputs, settings.towers, settings.aligned

    def fit(self, *inputs: Tensor) -> None:
        towers, jet, mask = self.seen(*inputs)
        self.inputs.fit(towers[mask], jet.repeat_interleave(mask.sum(dim=1), dim=0))

    def forward(self, towers: Tensor, jet: Tensor, mask: Tensor) -> Tensor:
        """Return (B, K) logits; padded slots are not computed."""
        return self.logits(*self.seen(towers, jet, mask), dense=False)

    def padded(self, *inputs: Tensor) -> Tensor:
        return self.logits(*self.seen(*inputs), dense=True)

    def seen(self, towers: Tensor, jet: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the inputs with those towers only that the tagger looks at, the hardest, aligned if asked for."""
        towers, mask = towers[:, : self.towers], mask[:, : self.towers]
        return aligned(towers, mask) if self.aligned else towers, jet, mask

    @abstractmethod
    def logits(self, towers: Tensor, jet: Tensor, mask: Tensor, dense: bool) -> Tensor:
        """Return (B, K) logits by ``dense`` operations on all slots, or on real towers only."""


@final
class CloudTagger(TowerTagger):
    """A network on rows of towers: particle flow network, transformers."""

    def __init__(self, inputs: TowerInputs, network: CloudClassifier, settings: TowerTaggerSettings) -> None:
        super().__init__(inputs, settings)
        self.network = network

    def logits(self, towers: Tensor, jet: Tensor, mask: Tensor, dense: bool) -> Tensor:
        rows = PaddedRows(mask) if dense else PackedRows(mask)
        return self.network(*self.features(towers, jet, rows), rows)

    def features(self, towers: Tensor, jet: Tensor, rows: CloudRows) -> tuple[Tensor, Tensor]:
        """Return the features (R, F) of the network and the momenta (R, 3): pT [GeV], eta_rel, phi_rel."""
        packed, jets = rows.pack(towers), rows.spread(jet)
        return self.inputs(packed, jets), torch.cat([packed[:, :1] * jets[:, :1], packed[:, 1:3]], dim=1)


@final
class GraphTagger(TowerTagger):
    """ParticleNet, which finds its own rows."""

    def __init__(self, inputs: TowerInputs, network: ParticleNet, settings: TowerTaggerSettings) -> None:
        super().__init__(inputs, settings)
        self.network = network

    def logits(self, towers: Tensor, jet: Tensor, mask: Tensor, dense: bool) -> Tensor:
        rows = PaddedRows(mask)
        packed = rows.pack(towers)
        features = self.inputs(packed, rows.spread(jet)).unflatten(0, mask.shape)
        network = self.network.padded if dense else self.network
        return network(packed[:, 1:3].unflatten(0, mask.shape), features, mask)


def build_tagger(settings: TaggerNetworkSettings, classes: int, features: Sequence[str] = ()) -> Tagger:
    """Return the untrained tagger that the settings describe.

    Args:
        settings: kind and sizes.
        classes: K.
        features: names of the high-level features, for a dense network.
    """
    if isinstance(settings, DenseTagger):
        return HighLevelTagger(settings, features, classes)
    inputs = TowerInputs(settings.inputs)
    width = len(inputs.names)
    match settings:
        case ParticleFlowTagger():
            return CloudTagger(inputs, ParticleFlow(settings, width, classes), settings)
        case TransformerTagger():
            return CloudTagger(inputs, TransformerEncoder(settings, width, classes), settings)
        case ParticleDynamicsTagger():
            return CloudTagger(inputs, ParticleDynamics(settings, width, classes), settings)
        case ParticleTransformerTagger():
            return CloudTagger(inputs, ParticleTransformer(settings, width, classes), settings)
        case ParticleNetTagger():
            return GraphTagger(inputs, ParticleNet(settings.network, width, classes), settings)


@final
@dataclass(frozen=True)
class StoredTagger:
    """A trained tagger, in evaluation mode.

    Attributes:
        settings: what it was trained with.
        tagger: the network and its inputs.
        classes: names of the classes, in the order of the logits.
        features: names of the high-level features, for a dense network.
    """

    settings: TaggerSettings
    tagger: Tagger
    classes: tuple[str, ...]
    features: tuple[str, ...]


def save_tagger(
    weights_path: Path,
    description_path: Path,
    stored: StoredTagger,
    weights: Mapping[str, Tensor],
    training: Mapping[str, Any],
    provenance: Mapping[str, Any],
) -> None:
    """Write weights and description.

    Args:
        weights_path, description_path: where they go.
        stored: the tagger; ``weights`` take the place of its own.
        weights: by name, with the statistics of the inputs.
        training: what was trained on, to be read by people.
        provenance: what made it.

    Raises:
        StorageError: a file cannot be written.
    """
    more = {"classes": stored.classes, "features": stored.features, "training": training}
    number = parameters(stored.tagger)
    save_described(weights_path, description_path, weights, stored.settings, number, provenance, **more)


def load_tagger(weights_path: Path, description_path: Path) -> StoredTagger:
    """Read a trained tagger. Where its training jets were cut to their hardest towers, it looks at no more of others.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    stored = load_stored(
        weights_path,
        description_path,
        TaggerSettings,
        _built,
        ("classes", "features"),
    )
    classes, features = (tuple(stored.description[name]) for name in ("classes", "features"))
    return StoredTagger(stored.settings, stored.network, classes, features)


def _built(settings: TaggerSettings, described: Mapping[str, Any]) -> Tagger:
    tagger = build_tagger(settings.network, len(described["classes"]), tuple(described["features"]))
    cut = described.get("training", {}).get(CUT_AT)
    if cut is not None and isinstance(tagger, TowerTagger):
        tagger.towers = min(tagger.towers, cut)
    return tagger
