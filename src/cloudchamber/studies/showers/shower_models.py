"""Trained models of the study on disk: weights, and what describes them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import Tensor, nn

from cloudchamber.errors import InputError
from cloudchamber.generative.objectives import FlowMatching
from cloudchamber.settings.base import parse
from cloudchamber.settings.objectives import FlowMatchingSettings
from cloudchamber.studies.showers.allshowers import AllShowers, PointCountFlow, parameters
from cloudchamber.studies.showers.geometry import GEOMETRIES, Geometry, geometry_of
from cloudchamber.studies.showers.settings import CountSettings, ShowerModelSettings
from cloudchamber.studies.showers.shower_inputs import Scales
from cloudchamber.training.described_weights import load_weights, write_described_weights
from cloudchamber.training.descriptions import read_description

__all__ = ["CountModel", "PointModel", "load_counts", "load_points", "objective_of", "save_model"]

_KEYS = ("settings", "scales", "geometry", "segments")


@final
@dataclass(frozen=True)
class PointModel:
    """A flow, or a flow map, of points.

    Attributes:
        settings: what it was trained with; those of the teacher for a flow map.
        network: in evaluation mode.
        scales: standardisations.
        geometry: its layers.
        segments: of a flow map, the largest number of its steps; None for a flow.
    """

    settings: ShowerModelSettings
    network: AllShowers
    scales: Scales
    geometry: Geometry
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
    provenance: Mapping[str, Any],
    segments: int | None = None,
) -> None:
    """Write weights, which take the place of those of ``network``, and a description.

    Raises:
        StorageError: a file cannot be written.
    """
    described = {
        "settings": settings.model_dump(mode="json"),
        "scales": scales.to_json(),
        "geometry": geometry.name,
        "segments": segments,
        "parameters": parameters(network),
        "provenance": provenance,
    }
    write_described_weights(weights_path, description_path, weights, described)


def load_points(weights_path: Path, description_path: Path) -> PointModel:
    """Read a trained model of points.

    Raises:
        InputError: a file is missing or damaged, or the weights are not those of the description.
    """
    described, scales, geometry = _read(weights_path, description_path)
    settings = parse(ShowerModelSettings, described["settings"], description_path)
    segments = described["segments"]
    network = AllShowers(settings.network, geometry.layers, intervals=segments is not None)
    load_weights(network, weights_path)
    return PointModel(settings, network.eval(), scales, geometry, segments)


def load_counts(weights_path: Path, description_path: Path) -> CountModel:
    """Read a trained model of numbers of points; errors as of :func:`load_points`."""
    described, scales, geometry = _read(weights_path, description_path)
    settings = parse(CountSettings, described["settings"], description_path)
    network = PointCountFlow(settings.hidden, geometry.layers)
    load_weights(network, weights_path)
    return CountModel(settings, network.eval(), scales, geometry)


def _read(weights_path: Path, description_path: Path) -> tuple[dict[str, Any], Scales, Geometry]:
    described = read_description(weights_path, description_path, _KEYS)
    if described["geometry"] not in GEOMETRIES:
        raise InputError(f"{description_path}: geometry '{described['geometry']}' is none of {sorted(GEOMETRIES)}")
    try:
        scales = Scales.from_json(described["scales"])
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{description_path}: key 'scales' is damaged: {error}") from error
    return described, scales, geometry_of(described["geometry"])
