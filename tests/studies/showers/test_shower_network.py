"""Networks, windows of layers, pairing and loss against explicit computations."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.optimize import linear_sum_assignment

from cloudchamber.networks.packing import PackedClouds, Packing
from cloudchamber.studies.showers.allshowers import CONDITIONS, AllShowers, PointCountFlow, time_features
from cloudchamber.studies.showers.layer_counts import layer_counts
from cloudchamber.studies.showers.layer_windows import LayerWindows
from cloudchamber.studies.showers.model_settings import AllShowersNetwork
from cloudchamber.studies.showers.shower_file import open_showers
from cloudchamber.studies.showers.shower_inputs import Scales, StoredClouds, count_source, point_source
from cloudchamber.studies.showers.shower_models import objective_of
from cloudchamber.studies.showers.shower_tasks import ShowerFlowTask, paired_noise, velocity_error
from cloudchamber.training.described_weights import parameters

SMALL = AllShowersNetwork(kind="allshowers", width=8, heads=2, layers=2, feed_forward=8, counts_hidden=8, window=1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def showers(generator: torch.Generator, number: int = 4, layers: int = 12) -> torch.Tensor:
    """Return points of layers, with empty layers and one empty shower among them."""
    counts = torch.randint(0, 9, (number, layers), generator=generator)
    counts[counts < 3] = 0
    counts[1] = 0
    return counts


def test_sizes_are_those_of_the_published_code() -> None:
    settings = AllShowersNetwork(kind="allshowers")
    assert parameters(AllShowers(settings, 78)) == 263_491
    assert parameters(AllShowers(settings.model_copy(update={"output_projection": True}), 78)) == 280_131
    assert parameters(PointCountFlow((128, 256, 512, 256, 128), 78)) == 351_822


@pytest.mark.parametrize("window", [0, 1, 2, 12])
def test_windows_are_a_masked_softmax(window: int, generator: torch.Generator) -> None:
    counts = showers(generator)
    products = torch.randn(int(counts.sum()), 3 * 8, generator=generator, requires_grad=True)
    windows = LayerWindows(counts, window)
    found = windows.attend(products, heads=2)
    layer = torch.arange(12).repeat(4).repeat_interleave(counts.flatten())
    owner = torch.arange(4).repeat_interleave(counts.sum(dim=1))
    assert (windows.layers == layer).all()
    seen = (owner[:, None] == owner) & ((layer[:, None] - layer).abs() <= window)
    queries, keys, values = products.view(-1, 3, 2, 4).permute(1, 2, 0, 3)
    scores = (queries @ keys.transpose(1, 2) / 2).masked_fill(~seen, -torch.inf)
    expected = (scores.softmax(dim=2) @ values).transpose(0, 1).reshape(-1, 8)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    weights = torch.randn(expected.shape, generator=generator)
    (own,) = torch.autograd.grad((found * weights).sum(), products, retain_graph=True)
    (other,) = torch.autograd.grad((expected * weights).sum(), products)
    torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-6)


def test_windows_of_empty_showers_are_empty() -> None:
    windows = LayerWindows(torch.zeros(2, 5, dtype=torch.int64), 2)
    assert windows.attend(torch.zeros(0, 12), heads=2).shape == (0, 4)


def test_the_window_is_symmetric(generator: torch.Generator) -> None:
    """In the published code a point sees more layers behind it than in front of it."""
    counts = torch.full((1, 9), 2)
    network = AllShowers(SMALL.model_copy(update={"layers": 1, "window": 2}), 9)
    points = torch.randn(18, 3, generator=generator, requires_grad=True)
    conditions = torch.cat([torch.zeros(1, CONDITIONS), counts.float()], dim=1)
    out = network(points, torch.full((1, 1), 0.4), conditions, Packing(counts.sum(dim=1)))
    (gradient,) = torch.autograd.grad(out[8].sum(), points)
    reached = sorted({int(row) // 2 for row in gradient.abs().sum(dim=1).nonzero()[:, 0]})
    assert reached == [2, 3, 4, 5, 6]


def test_points_of_a_layer_may_change_places(generator: torch.Generator) -> None:
    counts = torch.tensor([[3, 0, 2], [0, 4, 1]])
    network = AllShowers(SMALL, 3).eval()
    points = torch.randn(10, 3, generator=generator)
    conditions = torch.cat([torch.zeros(2, CONDITIONS), counts.float()], dim=1)
    packing, time = Packing(counts.sum(dim=1)), torch.tensor([[0.2], [0.9]])
    order = torch.tensor([2, 0, 1, 4, 3, 8, 5, 6, 7, 9])
    found = network(points, time, conditions, packing)
    torch.testing.assert_close(network(points[order], time, conditions, packing), found[order])
    alone = network(points[:5], time[:1], conditions[:1], Packing(counts.sum(dim=1)[:1]))
    torch.testing.assert_close(alone, found[:5], rtol=1e-5, atol=1e-6)


def test_layer_embedding_and_intervals_are_options(generator: torch.Generator) -> None:
    counts = torch.tensor([[2, 2]])
    points, conditions = torch.randn(4, 3, generator=generator), torch.cat([torch.zeros(1, 5), counts.float()], dim=1)
    without = AllShowers(SMALL.model_copy(update={"layer_embedding": False, "window": 2}), 2)
    same = points[[0, 1, 0, 1]]
    out = without(same, torch.zeros(1, 1), conditions, Packing(torch.tensor([4])))
    torch.testing.assert_close(out[:2], out[2:], rtol=1e-5, atol=1e-6)
    teacher, flow_map = AllShowers(SMALL, 2), AllShowers(SMALL, 2, intervals=True)
    flow_map.load_state_dict(teacher.state_dict(), strict=False)
    time = torch.full((1, 1), 0.3)
    torch.testing.assert_close(
        flow_map(points, torch.cat([time, time], dim=1), conditions, Packing(torch.tensor([4]))),
        teacher(points, time, conditions, Packing(torch.tensor([4]))),
    )


def test_time_features_are_three_waves() -> None:
    expected = [*(np.cos(np.pi * k * 0.3) for k in (1, 2, 3)), *(np.sin(np.pi * k * 0.3) for k in (1, 2, 3))]
    np.testing.assert_allclose(time_features(torch.tensor([[0.3]]))[0].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("pairing", ["layers", "showers"])
def test_pairing_is_the_best_permutation(pairing: str, generator: torch.Generator) -> None:
    counts = showers(generator)
    clean, noise = (torch.randn(int(counts.sum()), 3, generator=generator) for _ in range(2))
    conditions = torch.cat([torch.zeros(4, CONDITIONS), counts.float()], dim=1)
    kept = counts.sum(dim=1) > 0
    packing = Packing(counts.sum(dim=1)[kept])
    found = paired_noise(clean, noise, conditions[kept], packing, pairing)  # type: ignore[arg-type]
    sizes = counts.flatten().tolist() if pairing == "layers" else counts.sum(dim=1).tolist()
    start = 0
    for size in sizes:
        rows = slice(start, start + size)
        cost = torch.cdist(clean[rows], noise[rows]).square().numpy()
        best = cost[linear_sum_assignment(cost)].sum()
        assert float((clean[rows] - found[rows]).square().sum()) == pytest.approx(best, rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(np.sort(found[rows].numpy(), axis=0), np.sort(noise[rows].numpy(), axis=0))
        start += size
    assert paired_noise(clean, noise, conditions, packing, "independent") is noise


def test_every_shower_weighs_the_same(generator: torch.Generator) -> None:
    objective, counts = objective_of(1e-4), torch.tensor([1, 50])
    packing, time = Packing(counts), torch.tensor([[0.3], [0.8]])
    clean, noise = torch.randn(51, 3, generator=generator), torch.randn(51, 3, generator=generator)
    target = (1 - 1e-4) * noise - clean
    off = torch.zeros(51, 3)
    off[0] = 1.0
    errors = velocity_error(objective, target + off, clean, noise, time, packing)
    torch.testing.assert_close(errors, torch.tensor([3.0, 0.0]), atol=1e-5, rtol=0)


def test_shares_of_processes_average_to_the_whole(generator: torch.Generator) -> None:
    counts = torch.tensor([[2, 3], [4, 1], [1, 0], [0, 2]])
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), counts.sum(dim=1).cumsum(0)])
    conditions = torch.cat([torch.zeros(4, CONDITIONS), counts.float()], dim=1)
    clouds = PackedClouds(torch.randn(13, 3, generator=generator), offsets, conditions)
    network = AllShowers(SMALL, 2)
    task = ShowerFlowTask(network, objective_of(1e-4), clouds, clouds, "layers", 1)
    rows = torch.arange(4)
    whole, *shares = (
        task.loss(network, rows, torch.Generator().manual_seed(3), share)
        for share in (slice(0, 4), slice(0, 2), slice(2, 4))
    )
    torch.testing.assert_close((shares[0] + shares[1]) / 2, whole)
    assert task.validate(network) == task.validate(network)


def test_what_is_read_from_the_file_is_what_is_in_memory(showers_folder: Path) -> None:
    with open_showers(showers_folder / "showers.h5") as file:
        rows = file.part("train")[:50]
        rows = rows[file.counts[rows] > 0]
        scales = Scales.fit(file, rows)
        memory, stored = point_source(file, rows, scales, 100), point_source(file, rows, scales, 0)
        assert isinstance(stored, StoredClouds)
        chosen = torch.tensor([7, 2, 30, 2])
        for first, second in zip(memory.take(chosen), stored.take(chosen), strict=True):
            if isinstance(first, Packing) and isinstance(second, Packing):
                assert first.counts.tolist() == second.counts.tolist()
            elif isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
                torch.testing.assert_close(first, second)
        values = memory.take(torch.arange(len(rows)))[0].numpy()
        np.testing.assert_allclose(values.mean(axis=0), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=0), 1, atol=1e-2)
        counts = count_source(file, rows, scales)
        np.testing.assert_array_equal(scales.numbers(counts.values.numpy()), layer_counts(file, rows))
        again = Scales.from_json(scales.to_json())
        assert again == scales


def test_distances_to_the_axis_enter_by_their_logarithm(showers_folder: Path) -> None:
    with open_showers(showers_folder / "showers.h5", ("train",)) as file:
        rows = file.part("train")
        scales = Scales.fit(file, rows, core=2.0)
        points = np.concatenate([file.take(rows).points, [[0, 0, 3, 1e-3]]])
    seen = scales.seen(points).astype(np.float64)
    across = seen[:, :2] * scales.points.deviation[:2] + scales.points.mean[:2]
    radius = np.hypot(points[:, 0], points[:, 1])[:, None]
    expected = points[:, :2] / np.maximum(radius, 1e-9) * np.log(1 + radius / 2)
    np.testing.assert_allclose(across, expected, atol=1e-5)
    np.testing.assert_allclose(scales.measured(seen), points[:, [0, 1, 3]], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(seen[:-1].mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(seen[:-1].std(axis=0), 1, atol=1e-5)
    assert Scales.from_json(scales.to_json()) == scales


def test_a_shower_has_a_point_at_least(showers_folder: Path) -> None:
    with open_showers(showers_folder / "showers.h5") as file:
        scales = Scales.fit(file, file.part("train"))
    nothing = scales.numbers(np.full((3, 78), -20.0))
    assert (nothing.sum(axis=1) == 1).all()
