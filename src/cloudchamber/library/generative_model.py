"""Trained models that generate jets: clouds of particles, and the jets to ask them for."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.generative.artifact import LARGEST_MULTIPLICITY, load_artifact
from cloudchamber.generative.jet_features import JetFeatures
from cloudchamber.generative.jet_flow import JetFlow, draw_from_flow
from cloudchamber.generative.jet_scales import JetScales
from cloudchamber.generative.sample import SAMPLE_FEATURES, draw_clouds
from cloudchamber.jets.kinematics import relative_sum
from cloudchamber.jets.relative import RELATIVE_COLUMNS, refuse_other_sums, refuse_other_units
from cloudchamber.library.checks import numbers, whole_number
from cloudchamber.library.jets import as_jets
from cloudchamber.library.unlike_training import say_unlike_training
from cloudchamber.networks.packing import padded
from cloudchamber.preparation.origin import ORIGIN
from cloudchamber.progress import progress
from cloudchamber.settings.base import parse
from cloudchamber.settings.generators import SamplerSettings
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.settings.objectives import AdversarialSettings
from cloudchamber.storage import read_json
from cloudchamber.training.described_weights import load_stored

__all__ = ["GenerativeModel", "JetLevelModel"]

# Of flow matching and diffusion; more evaluations are no better for most models.
_SOLVER, _EVALUATIONS = "midpoint", 32


@final
class JetLevelModel:
    """A trained flow of jets as a whole, such as ``train-jet-flow`` writes.

    Attributes:
        description: what its files say.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        stored = load_stored(weights, description, JetFlowSettings, lambda settings, _: JetFlow(settings), ("scales",))
        self.description: Mapping[str, Any] = stored.description
        self.network = stored.network
        self._scales = JetScales.from_json(stored.description["scales"])

    def sample(self, n: int, *, seed: int = 1) -> dict[str, np.ndarray]:
        """Draw n jets: jet_pt [GeV], jet_eta, jet_mass [GeV], jet_pt_rel and multiplicity, (n,) each.

        Raises:
            InputError: n is no whole number above zero, or most draws are beyond the range of the training jets.
        """
        number = whole_number(n, "n", 1)
        generator = torch.Generator().manual_seed(seeds.integer_seed(seed, "conditions"))
        return draw_from_flow(self.network, self._scales, number, generator)[0]


@final
class GenerativeModel:
    """A trained model of the particles of jets, such as ``train`` and ``train-flow-map`` write.

    Attributes:
        description: what its files say.
        conditions: features of jets that it is asked for.
    """

    def __init__(self, weights: Path, description: Path) -> None:
        self.description: Mapping[str, Any] = read_json(description)
        self._artifact = load_artifact(weights, description)
        self.network = self._artifact.network
        self.conditions: tuple[str, ...] = self._artifact.settings.conditions

    def sample(
        self,
        jets: int | Mapping[str, Any] | Clouds,
        *,
        jet_level: JetLevelModel | None = None,
        seed: int = 1,
        solver: str | None = None,
        evaluations: int | None = None,
        momentum_sum: str | None = None,
    ) -> Clouds:
        """Draw one cloud for each jet, as ``cloudchamber sample`` does with the same seed.

        Args:
            jets: the jets to generate, of which the multiplicity says how many particles there are: clouds; or (N,)
                numbers by name, multiplicity and, where they are known, jet_pt [GeV], jet_eta, jet_mass [GeV] and
                jet_pt_rel; or how many the ``jet_level`` draws.
            jet_level: draws the jets.
            seed: of everything random.
            solver, evaluations: docs/settings; by default midpoint with 32 evaluations of the network, of a flow map as
                many steps as it has, of a generator one.
            momentum_sum: "imposed": the particles add up to jet_pt_rel, or "free"; by default imposed where known.

        Raises:
            InputError: the jets lack a condition, are impossible or in other units, a jet_level stands beside jets or
                is none, or the model gives values that are not finite.
            SettingsError: the solver does not suit the model, or the evaluations the solver.
        """
        if jet_level is not None and not isinstance(jet_level, JetLevelModel):
            raise InputError(f"jet_level: is {type(jet_level).__name__}, expected what train-jet-flow trains")
        if isinstance(jets, int | np.integer):
            if jet_level is None:
                raise InputError("jets: a number of jets needs a jet_level, which draws their multiplicities")
            jets = jet_level.sample(whole_number(jets, "jets", 1), seed=seed)
        elif jet_level is not None:
            raise InputError("jet_level: draws the jets where only their number is given, here the jets are")
        asked, known = _jet_features(jets)
        missing = [name for name in self.conditions if name not in known]
        if missing:
            raise InputError(f"jets: no {missing}, which the model is asked for")
        if momentum_sum is None:
            momentum_sum = "imposed" if "jet_pt_rel" in known else "free"
        if momentum_sum == "imposed" and "jet_pt_rel" not in known:
            raise InputError("momentum_sum: imposed needs the jet_pt_rel of each jet")
        settings = self._sampler(solver, evaluations, momentum_sum)
        self._say_unlike_training(asked)
        with progress("sampling", len(asked), "jets") as bar:
            drawn = draw_clouds(self._artifact, asked, settings, seed, bar.update)
        if not np.isfinite(drawn.values).all():
            raise InputError(f"the model gave values that are not finite with {settings.solver}")
        points, mask = padded(drawn.values, asked.multiplicity, asked.width)
        columns = [column for column in SAMPLE_FEATURES if column.name in known]
        features = [np.asarray(getattr(asked, column.name), np.float32) for column in columns]
        beside = np.stack(features, axis=1) if features else np.zeros((len(points), 0), np.float32)
        nothing = np.zeros((len(points), 0), np.int64)
        meta = {ORIGIN: origin} if (origin := self.description.get(ORIGIN)) else {}
        return Clouds(points, mask, beside, nothing, RELATIVE_COLUMNS, tuple(columns), meta=meta)

    def _say_unlike_training(self, asked: JetFeatures) -> None:
        most = self.description.get(LARGEST_MULTIPLICITY)
        larger = 0 if most is None else np.count_nonzero(asked.multiplicity > most)
        if larger:
            sys.stderr.write(
                f"jets: WARNING: {larger} of {len(asked)} jets are asked for with more than {most} particles, which no"
                " jet of the training has\n"
            )
        scale = self._artifact.conditions
        values = scale.forward(np.stack([getattr(asked, name) for name in scale.names], axis=1))
        chosen = [scale.names.index(name) for name in self.conditions]
        say_unlike_training(values[:, chosen], self.conditions, "jets")

    def _sampler(self, solver: str | None, evaluations: int | None, momentum_sum: str) -> SamplerSettings:
        trained = self._artifact.settings
        chosen, number = (_SOLVER, _EVALUATIONS)
        if trained.flow_map_segments is not None:
            chosen, number = "flow_map", trained.flow_map_segments
        elif isinstance(trained.objective, AdversarialSettings):
            chosen, number = "one_step", 1
        if evaluations is not None:
            number = evaluations
        given = {"solver": solver or chosen, "evaluations": number, "momentum_sum": momentum_sum}
        return parse(SamplerSettings, given, "sample")


_LEVELS = ("jet_pt", "jet_eta", "jet_mass", "jet_pt_rel")


def _jet_features(jets: Mapping[str, Any] | Clouds) -> tuple[JetFeatures, set[str]]:
    """Return the jets to generate, with ones for what is not known of them, and what is known."""
    width = None
    if isinstance(jets, Clouds):
        clouds = as_jets(jets, "jets")
        there = {column.name for column in clouds.feature_columns}
        given: dict[str, Any] = {name: clouds.feature(name) for name in _LEVELS if name in there}
        given |= {"multiplicity": clouds.multiplicity, "jet_pt_rel": relative_sum(clouds)}
        width = clouds.width
    elif isinstance(jets, Mapping):
        given = dict(jets)
    else:
        raise InputError(f"jets: is {type(jets).__name__}, expected Clouds, arrays by name or a number of jets")
    if "multiplicity" not in given:
        raise InputError(f"jets: no 'multiplicity' among {sorted(given)}")
    unknown = sorted(set(given) - {*_LEVELS, "multiplicity"})
    if unknown:
        raise InputError(f"jets: {unknown} are none of {[*_LEVELS, 'multiplicity']}")
    counts = numbers(given["multiplicity"], "jets['multiplicity']", ("N",))
    if (counts < 1).any() or (counts != np.floor(counts)).any():
        raise InputError("jets['multiplicity']: a jet without a whole number of particles, one at least")
    counts = counts.astype(np.int64)
    columns = {name: np.ones(len(counts)) for name in _LEVELS}
    for name in set(_LEVELS) & set(given):
        columns[name] = numbers(given[name], f"jets['{name}']", (len(counts),)).astype(np.float64)
        if name in ("jet_pt", "jet_pt_rel") and (columns[name] <= 0).any():
            raise InputError(f"jets['{name}']: a value is not positive")
    if "jet_pt" in given:
        refuse_other_units(columns["jet_pt"], "jets['jet_pt']")
    if "jet_pt_rel" in given:
        refuse_other_sums(columns["jet_pt_rel"], "jets")
    features = JetFeatures(**columns, multiplicity=counts, width=width or int(counts.max()))
    return features, set(given)
