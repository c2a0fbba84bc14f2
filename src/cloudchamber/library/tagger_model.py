"""Trained taggers: jets to the probabilities of classes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from cloudchamber.classification.jet_data import towers_of
from cloudchamber.classification.made_with import made_with, read_from, say_unlike_jets
from cloudchamber.classification.predict import log_probabilities
from cloudchamber.classification.taggers import HighLevelTagger, TowerTagger, load_tagger
from cloudchamber.cloud import Column
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import refuse_other_sums, refuse_other_units
from cloudchamber.library.checks import numbers
from cloudchamber.library.jets import as_jets
from cloudchamber.library.unlike_training import say_unlike_training
from cloudchamber.preparation.alike import cut_at
from cloudchamber.storage import read_json

__all__ = ["TaggerModel"]

_NEEDED = {"jet_pt": "GeV", "jet_eta": "1"}


@final
class TaggerModel:
    """A trained tagger, such as ``train-tagger`` writes.

    Attributes:
        description: what its files say.
        classes: names of the classes.
        features: names of the high-level features that it takes; empty where it takes the particles of jets.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        self._stored = load_tagger(weights, description)
        self.network = self._stored.tagger
        self.classes, self.features = self._stored.classes, self._stored.features

    def predict(self, jets: Any, *, jet_pt: Any = None, jet_eta: Any = None) -> np.ndarray:
        """Return the (N, K) probabilities of the classes, float64.

        Args:
            jets: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots, the hardest particles first; or
                clouds of jets. Those with more particles than the training jets were cut to are cut alike. Of a tagger
                with ``features``: (N, H) numbers in their order.
            jet_pt: (N,) [GeV] of jets that are an array.
            jet_eta: (N,) pseudorapidity of jets that are an array.

        Raises:
            InputError: an array is empty or has another shape, a number is not finite, pT and eta are missing or
                impossible, a pT is in another unit, or particles of jets that would be cut are not by falling pT.
        """
        inputs = self._features(jets) if self.features else self._towers(jets, {"jet_pt": jet_pt, "jet_eta": jet_eta})
        return log_probabilities(self._stored, inputs).exp().numpy()

    def _features(self, jets: Any) -> tuple[torch.Tensor, ...]:
        values = torch.from_numpy(numbers(jets, "jets", ("N", len(self.features))).astype(np.float32))
        if isinstance(self.network, HighLevelTagger):
            inputs = self.network.inputs
            with torch.inference_mode():
                standardised = inputs(values.to(inputs.mean.device)).cpu().numpy()
            say_unlike_training(standardised, self.features, "jets")
        return (values,)

    def _towers(self, jets: Any, given: Mapping[str, Any]) -> tuple[torch.Tensor, ...]:
        clouds = as_jets(jets, "jets")
        assert isinstance(self.network, TowerTagger), "a tagger without features takes particles"
        made, read = [made_with(clouds, clouds.width)], [read_from(clouds.meta)]
        cut, looks_at = cut_at(np.bincount(clouds.multiplicity)), self.network.towers
        say_unlike_jets("cloudchamber", "jets", "the tagger", self.description, made, read, cut, looks_at)
        pt = np.where(clouds.mask, clouds.point("pt_rel"), 0.0)
        refuse_other_sums(pt.sum(axis=1), "jets")
        self._refuse_other_order(pt, clouds.multiplicity)
        there = {column.name for column in clouds.feature_columns}
        columns = []
        for name, value in given.items():
            if value is None and name not in there:
                raise InputError(f"{name}: the tagger takes that of each jet")
            values = clouds.feature(name) if value is None else numbers(value, name, (len(clouds),))
            if name == "jet_pt" and not (values > 0).all():
                raise InputError(f"jet_pt: {np.count_nonzero(~(values > 0))} of {len(values)} values are not positive")
            if name == "jet_pt":
                refuse_other_units(values, "jet_pt")
            columns.append(values.astype(np.float32))
        named = tuple(Column(name, unit) for name, unit in _NEEDED.items())
        return towers_of(replace(clouds, features=np.stack(columns, axis=1), feature_columns=named), "jets")

    def _refuse_other_order(self, pt: np.ndarray, multiplicity: np.ndarray) -> None:
        """Refuse jets that would be cut to the first of their particles, where these are not the hardest."""
        assert isinstance(self.network, TowerTagger), "a tagger without features takes particles"
        looks_at = self.network.towers
        rising = (np.diff(pt, axis=1) > 0).any(axis=1) & (multiplicity > looks_at)
        if rising.any():
            raise InputError(
                f"jets: the particles of {np.count_nonzero(rising)} of {len(pt)} jets are not sorted by falling pT, and"
                f" the tagger looks at the hardest {looks_at}"
            )
