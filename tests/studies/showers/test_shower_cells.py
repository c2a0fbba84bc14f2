"""Cells and observables against loops over points."""

import numpy as np
import pytest

from cloudchamber.packed_clouds import PackedPart
from cloudchamber.studies.showers.cells import clustered, grid_offsets, merged
from cloudchamber.studies.showers.geometry import geometry_of
from cloudchamber.studies.showers.observables import RADIAL_EDGES, observed

STACK = geometry_of("ild_like")


@pytest.fixture
def part(rng: np.random.Generator) -> PackedPart:
    counts = np.array([60, 0, 1, 140])
    total = int(counts.sum())
    points = np.column_stack(
        [
            rng.normal(0, 15, (total, 2)),
            np.concatenate([np.sort(rng.integers(0, 40, n)) for n in counts]),
            rng.exponential(3e-4, total),
        ]
    )
    features = np.tile([2.0, 0, 0, 1], (4, 1))
    return PackedPart(points.astype(np.float32), counts, features.astype(np.float32), np.zeros((4, 2), np.int64))


def by_loop(part: PackedPart, offsets: np.ndarray) -> dict[tuple[int, int, int, int], float]:
    cells: dict[tuple[int, int, int, int], float] = {}
    for owner, (x, y, layer, energy) in zip(part.owners, part.points.astype(float), strict=True):
        width = STACK.cells[int(layer)]
        place = [int(np.floor((v + o * width) / width)) for v, o in zip((x, y), offsets[owner], strict=True)]
        key = (int(owner), int(layer), *place)
        cells[key] = cells.get(key, 0.0) + energy
    return {key: value for key, value in cells.items() if value >= 1e-3 * STACK.thresholds[key[1]]}


def test_cells_are_those_of_a_loop(part: PackedPart, rng: np.random.Generator) -> None:
    offsets = grid_offsets(4, rng)
    cells, owners = clustered(part, STACK, offsets)
    expected = by_loop(part, offsets)
    found = {}
    for owner, (x, y, layer, energy) in zip(owners, cells, strict=True):
        width = STACK.cells[int(layer)]
        place = [round((v + o * width) / width - 0.5) for v, o in zip((x, y), offsets[owner], strict=True)]
        found[(int(owner), int(layer), *place)] = energy
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == pytest.approx(value, rel=1e-6)


def test_merging_keeps_energy_and_centre_of_gravity(part: PackedPart) -> None:
    points = part.points.astype(float)
    widths, zero = np.full(len(points), 3.0), np.zeros((len(points), 2))
    fewer, owners = merged(points, part.owners, 4, widths, zero, centred=False)
    assert len(fewer) < len(points)
    for shower in range(4):
        before, after = points[part.owners == shower], fewer[owners == shower]
        np.testing.assert_allclose(after[:, 3].sum(), before[:, 3].sum(), rtol=1e-9)
        np.testing.assert_allclose(after[:, 3] @ after[:, :3], before[:, 3] @ before[:, :3], rtol=1e-6, atol=1e-9)


def test_observables_are_those_of_the_cells(part: PackedPart, rng: np.random.Generator) -> None:
    offsets = grid_offsets(4, rng)
    cells, owners = clustered(part, STACK, offsets)
    found = observed(part, STACK, np.full(4, 2.0), offsets)
    for shower in range(4):
        own = cells[owners == shower]
        energy = 1e3 * own[:, 3]
        assert found.values["visible_energy"][shower] == pytest.approx(energy.sum())
        assert found.values["hits"][shower] == len(own)
        layers = own[:, 2].astype(int)
        response = (energy / STACK.sampling_fractions[layers]).sum() / 2000
        assert found.values["response"][shower] == pytest.approx(response)
        if len(own):
            assert found.values["centre_layer"][shower] == pytest.approx(np.average(layers, weights=energy))
            assert found.values["width"][shower] == pytest.approx(
                np.average(np.hypot(own[:, 0], own[:, 1]), weights=energy)
            )
        np.testing.assert_allclose(found.layer_energy[shower], np.bincount(layers, energy, minlength=78))
        ring = np.histogram(np.hypot(own[:, 0], own[:, 1]), RADIAL_EDGES, weights=energy)[0]
        np.testing.assert_allclose(found.radial_energy[shower], ring)
    assert found.values["start_layer"][1] == 78
    chosen = found[np.array([3, 0])]
    assert len(chosen.hit_energy) == found.values["hits"][[0, 3]].sum()
    np.testing.assert_array_equal(np.bincount(chosen.hit_shower), found.values["hits"][[3, 0]])
    assert np.isfinite(found.high_level).all()
