"""Trained models of the study on disk: weights, and what describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.generative.objectives import FlowMatching
from cloudchamber.settings.objectives import FlowMatchingSettings
from cloudchamber.studies.showers.allshowers import AllShowers, PointCountFlow
from cloudchamber.studies.showers.geometry import GEOMETRIES, Geometry, geometry_of
from cloudchamber.studies.showers.model_settings import CountSettings, ShowerModelSettings
from cloudchamber.studies.showers.seen_particles import SeenParticles
from cloudchamber.studies.showers.shower_inputs import Scales
from cloudchamber.training.described_weights import load_stored, parameters, save_described

__all__ = ["CountModel", "PointModel", "load_counts", "load_points", "objective_of", "save_model"]

_KEYS = ("scales", "geometry", "segments")


@final
@dataclass(frozen=True)
class PointModel:
    """A flow, or a flow map, of points.

    Attributes:
        settings: what it was trained with; those of the teacher for a flow map.
        network: in evaluation mode.
        scales: standardisations.
        geometry: its layers.
        seen: particles of its training; None where an older description does not tell.
        segments: of a flow map, the largest number of its steps; None for a flow.
    """

    settings: ShowerModelSettings
    network: AllShowers
    scales: Scales
    geometry: Geometry
    seen: SeenParticles | None
    segments: int | None

    @property
    def objective(self) -> FlowMatching:
        """Path and meaning of a prediction."""
        return objective_of(self.settings.sigma_min)


@final
@dataclass(frozen=True)
class CountModel:
    """A flow of the numbers of points per layer; attributes as of :class:`PointModel`."""

    settings: CountSettings
    network: PointCountFlow
    scales: Scales
    geometry: Geometry
    seen: SeenParticles | None

    @property
    def objective(self) -> FlowMatching:
        """Path and meaning of a prediction."""
        return objective_of(self.settings.sigma_min)


def objective_of(sigma_min: float) -> FlowMatching:
    """Return the objective of flow matching with a smallest noise."""
    return FlowMatching(FlowMatchingSettings(kind="flow_matching", sigma_min=sigma_min))


def save_model(
    weights_path: Path,
    description_path: Path,
    settings: ShowerModelSettings | CountSettings,
    network: nn.Module,
    weights: Mapping[str, Tensor],
    scales: Scales,
    geometry: Geometry,
    seen: SeenParticles | None,
    provenance: Mapping[str, Any],
    segments: int | None = None,
) -> None:
    """Write weights, which take the place of those of ``network``, and a description.

    Raises:
        StorageError: a file cannot be written.
    """
    more = {"scales": scales.to_json(), "geometry": geometry.name, "segments": segments}
    more |= {} if seen is None else {"particles": seen.to_json()}
    save_described(weights_path, description_path, weights, settings, parameters(network), provenance, **more)


def load_points(weights_path: Path, description_path: Path) -> PointModel:
    """Read a trained model of points.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """

    def build(settings: ShowerModelSettings, described: Mapping[str, Any]) -> AllShowers:
        layers = _geometry(described, description_path).layers
        return AllShowers(settings.network, layers, intervals=described["segments"] is not None)

    stored = load_stored(weights_path, description_path, ShowerModelSettings, build, _KEYS)
    scales, geometry = _scales(stored.description, description_path), _geometry(stored.description, description_path)
    seen = _seen(stored.description, description_path)
    return PointModel(stored.settings, stored.network, scales, geometry, seen, stored.description["segments"])


def load_counts(weights_path: Path, description_path: Path) -> CountModel:
    """Read a trained model of numbers of points; errors as of :func:`load_points`."""

    def build(settings: CountSettings, described: Mapping[str, Any]) -> PointCountFlow:
        return PointCountFlow(settings.hidden, _geometry(described, description_path).layers)

    stored = load_stored(weights_path, description_path, CountSettings, build, _KEYS)
    scales, geometry = _scales(stored.description, description_path), _geometry(stored.description, description_path)
    return CountModel(stored.settings, stored.network, scales, geometry, _seen(stored.description, description_path))


def _geometry(described: Mapping[str, Any], path: Path) -> Geometry:
    if described["geometry"] not in GEOMETRIES:
        raise InputError(f"{path}: geometry '{described['geometry']}' is none of {sorted(GEOMETRIES)}")
    return geometry_of(described["geometry"])


def _scales(described: Mapping[str, Any], path: Path) -> Scales:
    try:
        return Scales.from_json(described["scales"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: key 'scales' is damaged: {error}") from error


def _seen(described: Mapping[str, Any], path: Path) -> SeenParticles | None:
    if "particles" not in described:
        return None
    try:
        return SeenParticles.from_json(described["particles"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: key 'particles' is damaged: {error}") from error
