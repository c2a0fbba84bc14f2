"""The jet-level flow: its maps go back and forth, its density is one, and it learns how features depend."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm, spearmanr
from torch import Tensor

from cloudchamber.errors import InputError
from cloudchamber.generative.gaussianisation import Continuous, Discrete
from cloudchamber.generative.jet_flow import JetFlow, JetFlowTask, draw_from_flow
from cloudchamber.generative.jet_scales import JetScales
from cloudchamber.jets.kinematics import SUM_DECIMALS
from cloudchamber.metrics.divergence import divergence_of_counts, expected_floor
from cloudchamber.metrics.probable_bins import bin_counts, bin_edges
from cloudchamber.settings.base import parse
from cloudchamber.settings.jet_level import JetFlowSettings
from cloudchamber.storage import read_json, write_json
from cloudchamber.training.trainer import fit

WIDTH = 12
JETS = 4000


def _settings(**changes: object) -> JetFlowSettings:
    training = {
        "steps": 200,
        "batch_size": 256,
        "learning_rate": 5e-3,
        "ema_decay": 0.97,
        "gradient_clip": 5.0,
        "validate_every": 200,
        "accelerator": "cpu",
    }
    values = {"kind": "flow", "transforms": 2, "bins": 6, "hidden": (16, 16), "training": training}
    return parse(JetFlowSettings, values | changes)


def _toy(jets: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return jets of a hard pT window whose mass and multiplicity follow from it, the multiplicity truncated.

    Those of the largest multiplicity lost particles, so that their sum is below one; that of the others is one.
    """
    pt = 800 + 400 * rng.beta(1.0, 2.0, jets)
    mass = 0.17 * pt * np.exp(rng.normal(0, 0.1, jets))
    multiplicity = np.clip(np.round((pt - 700) / 25 + rng.normal(0, 1, jets)), 1, WIDTH).astype(np.int64)
    lost = np.where(multiplicity == WIDTH, rng.gamma(2.0, 0.01, jets), 0.0)
    eta = rng.uniform(-2, 2, jets)
    columns = {"jet_pt": pt, "jet_eta": eta, "jet_mass": mass, "jet_pt_rel": np.round(1 - lost, SUM_DECIMALS)}
    return {**columns, "multiplicity": multiplicity}


@pytest.fixture(scope="module")
def toys() -> list[dict[str, np.ndarray]]:
    rng = np.random.default_rng(8)
    return [_toy(JETS, rng) for _ in range(3)]


@pytest.fixture(scope="module")
def trained(toys: list[dict[str, np.ndarray]], tmp_path_factory: pytest.TempPathFactory) -> tuple[JetFlow, JetScales]:
    settings = _settings()
    torch.manual_seed(0)
    flow = JetFlow(settings)
    scales = JetScales.fit(toys[0])
    task = JetFlowTask(flow, scales, toys[0], toys[1], seed=3)
    result = fit(task, settings.training, 3, tmp_path_factory.mktemp("state"), {"toy": 1})
    flow.load_state_dict(result.weights)
    losses = [row["validation_loss"] for row in result.history if "validation_loss" in row]
    assert losses[-1] < 5 * 0.5 * math.log(2 * math.pi * math.e) - 0.5, "no better than independent features"
    return flow.eval(), scales


@pytest.fixture(scope="module")
def drawn(trained: tuple[JetFlow, JetScales]) -> dict[str, np.ndarray]:
    return draw_from_flow(*trained, JETS, torch.Generator().manual_seed(1))[0]


@pytest.mark.parametrize("feature", ["jet_pt", "jet_eta", "jet_mass", "jet_pt_rel", "multiplicity", "mass_over_pt"])
def test_draws_of_a_trained_flow_are_at_the_floor(
    feature: str, toys: list[dict[str, np.ndarray]], drawn: dict[str, np.ndarray]
) -> None:
    def values(columns: dict[str, np.ndarray]) -> np.ndarray:
        return columns["jet_mass"] / columns["jet_pt"] if feature == "mass_over_pt" else columns[feature]

    truth = values(toys[2])
    edges = bin_edges(truth, 40)
    divergence = divergence_of_counts(bin_counts(values(drawn), edges), bin_counts(truth, edges))
    assert divergence < 3 * expected_floor(len(edges) + 1, JETS, JETS)


def test_draws_of_a_trained_flow_depend_on_each_other_as_truth_does(
    toys: list[dict[str, np.ndarray]], drawn: dict[str, np.ndarray]
) -> None:
    for other in ("jet_eta", "jet_mass", "jet_pt_rel", "multiplicity"):
        expected, found = (spearmanr(side["jet_pt"], side[other]).statistic for side in (toys[2], drawn))
        assert found == pytest.approx(expected, abs=0.06), other


def test_draws_stay_within_the_training_range(toys: list[dict[str, np.ndarray]], drawn: dict[str, np.ndarray]) -> None:
    assert drawn["multiplicity"].dtype == np.int64
    for name, values in drawn.items():
        assert len(values) == JETS
        assert values.min() >= toys[0][name].min()
        assert values.max() <= toys[0][name].max()


def test_the_same_seed_draws_the_same_jets(trained: tuple[JetFlow, JetScales]) -> None:
    before = torch.get_rng_state()
    first, second, other = (draw_from_flow(*trained, 50, torch.Generator().manual_seed(seed))[0] for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["jet_pt"], other["jet_pt"])
    assert torch.equal(before, torch.get_rng_state()), "torch's own generator was used"


def test_a_flow_far_off_the_training_range_is_refused(trained: tuple[JetFlow, JetScales]) -> None:
    flow = JetFlow(_settings())
    flow.draw = lambda base: base + 50.0  # type: ignore[method-assign]
    with pytest.raises(InputError, match="most jets beyond the training range"):
        draw_from_flow(flow, trained[1], 200, torch.Generator().manual_seed(1))


def test_the_density_is_that_of_the_change_of_variables() -> None:
    torch.manual_seed(4)
    flow = JetFlow(_settings()).double()
    for parameter in flow.parameters():
        parameter.data *= 3.0
    values = torch.randn(6, 5, dtype=torch.float64)

    def to_base(row: Tensor) -> Tensor:
        return flow.splines().transform(row)

    for row, density in zip(values, flow(values), strict=True):
        jacobian = torch.autograd.functional.jacobian(to_base, row)
        expected = norm.logpdf(to_base(row).detach().numpy()).sum() + float(torch.linalg.slogdet(jacobian).logabsdet)
        assert float(density.detach()) == pytest.approx(expected, abs=1e-9)


def test_draws_are_the_inverse_of_the_density() -> None:
    torch.manual_seed(4)
    flow = JetFlow(_settings()).double()
    base = torch.randn(50, 5, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(flow.splines().transform(flow.draw(base)), base)


def test_continuous_features_become_normal_and_come_back(rng: np.random.Generator) -> None:
    values = 800 + 400 * rng.beta(1.0, 2.0, JETS)
    scale = Continuous.fit(values, "jet_pt")
    normal = scale.forward(values, rng)
    assert kstest(normal, "norm").statistic < 0.01
    within = np.sort(values)[5:-5]
    np.testing.assert_allclose(scale.inverse(scale.forward(within, rng)), within, rtol=1e-5)
    ends = norm.ppf([0.5 / JETS, 1 - 0.5 / JETS])
    np.testing.assert_allclose(scale.forward(np.array([0.0, 2000.0]), rng), ends, rtol=1e-5)
    assert np.isnan(scale.inverse(ends * 1.001)).all()
    np.testing.assert_allclose(scale.inverse(ends * 0.9999), [values.min(), values.max()], rtol=1e-3)


@pytest.mark.parametrize("atom", [0.0, np.float32(3.1), 400.0])
def test_a_value_that_many_jets_share_comes_back_as_often_as_it_was(atom: float, rng: np.random.Generator) -> None:
    # Such as the mass of jets of one particle; below, within and above the other values.
    values = np.where(rng.random(JETS) < 0.4, atom, rng.uniform(2, 200, JETS)).astype(np.float32)
    scale = Continuous.fit(values, "jet_mass")
    normal = scale.forward(values, rng)
    assert kstest(normal, "norm").statistic < 0.015
    there_and_back = scale.inverse(normal)
    np.testing.assert_allclose(there_and_back, values, rtol=1e-3, equal_nan=False)
    assert np.array_equal(there_and_back == atom, values == atom)
    back = scale.inverse(norm.ppf((np.arange(JETS) + 0.5) / JETS))
    assert (back == atom).mean() == pytest.approx((values == atom).mean(), abs=1e-3)
    assert Continuous.from_json(scale.to_json()) == scale


def test_the_sum_is_one_where_nothing_was_lost(drawn: dict[str, np.ndarray]) -> None:
    whole = drawn["multiplicity"] < WIDTH
    assert (drawn["jet_pt_rel"][whole] == 1.0).all()
    assert (drawn["jet_pt_rel"][~whole] < 1.0).all()


def test_atoms_of_a_rounded_feature_come_back_as_often_as_they_were(rng: np.random.Generator) -> None:
    below = 1 - rng.gamma(2.0, 0.01, JETS)
    values = np.round(np.where(rng.random(JETS) < 0.3, 1.0, below), 6)
    values[rng.random(JETS) < 0.2] = 0.97
    scale = Continuous.fit(values, "jet_pt_rel", decimals=6)
    normal = scale.forward(scale.spread(values, rng), rng)
    assert kstest(normal, "norm").statistic < 0.015
    there_and_back = scale.inverse(normal)
    np.testing.assert_allclose(there_and_back, values, atol=1e-4)
    assert all(np.array_equal(there_and_back == atom, values == atom) for atom in (0.97, 1.0))
    back = scale.inverse(norm.ppf((np.arange(JETS) + 0.5) / JETS))
    for atom in (0.97, 1.0):
        assert (back == atom).mean() == pytest.approx((values == atom).mean(), abs=1e-3)
    assert np.array_equal(back, np.round(back, 6), equal_nan=True)
    assert Continuous.from_json(scale.to_json()) == scale


def test_a_rounded_feature_may_be_constant(rng: np.random.Generator) -> None:
    values = np.full(50, 1.0)
    scale = Continuous.fit(values, "jet_pt_rel", decimals=6)
    assert np.ptp(scale.forward(scale.spread(values, rng), rng)) > 1, "the flow is taught a peak of no width"
    assert (scale.inverse(np.linspace(-2, 2, 9)) == 1.0).all()


@pytest.mark.parametrize("values", [np.full(10, 3.0), np.array([1.0]), np.array([])])
def test_a_constant_feature_is_refused(values: np.ndarray) -> None:
    with pytest.raises(InputError, match="column 'jet_mass' is constant"):
        Continuous.fit(values, "jet_mass")


def test_dequantisation_is_unbiased(rng: np.random.Generator) -> None:
    numbers = rng.choice([2, 3, 7, 30], p=[0.02, 0.1, 0.08, 0.8], size=JETS)
    scale = Discrete.fit(numbers)
    lower, width = (torch.from_numpy(side) for side in scale.shares(numbers))
    normal = Discrete.forward(lower, width, torch.from_numpy(rng.random(JETS))).numpy()
    assert kstest(normal, "norm").pvalue > 0.001
    np.testing.assert_array_equal(scale.inverse(normal), numbers)
    # Each number is drawn as often as the training jets have it.
    found = scale.inverse(norm.ppf((np.arange(JETS) + 0.5) / JETS))
    np.testing.assert_array_equal(np.bincount(found), np.bincount(numbers))


def test_the_lower_end_of_a_share_belongs_to_its_number() -> None:
    scale = Discrete.fit(np.array([3, 3, 5, 5]))
    lower, width = (torch.from_numpy(values) for values in scale.shares(np.array([3, 5])))
    # Half the way through is zero as a normal value, without rounding.
    assert scale.inverse(Discrete.forward(lower, width, torch.zeros(2).double()).numpy()).tolist() == [3, 5]


def test_numbers_that_no_training_jet_has_have_no_share() -> None:
    scale = Discrete.fit(np.array([2, 2, 5, 8]))
    lower, width = scale.shares(np.array([1, 2, 3, 5, 8, 9]))
    np.testing.assert_allclose(lower, [0.0, 0.0, 0.5, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(width, [0.0, 0.5, 0.0, 0.25, 0.25, 0.0])
    ends = Discrete.forward(torch.tensor([0.0, 1.0]).double(), torch.zeros(2).double(), torch.zeros(2).double())
    assert torch.isfinite(ends).all()


def test_scales_survive_json(toys: list[dict[str, np.ndarray]], tmp_path: Path) -> None:
    scales = JetScales.fit(toys[0])
    write_json(tmp_path / "scales.json", scales.to_json())
    assert JetScales.from_json(read_json(tmp_path / "scales.json")) == scales


def test_shares_of_several_processes_average_to_the_loss_of_the_batch(
    toys: list[dict[str, np.ndarray]], trained: tuple[JetFlow, JetScales]
) -> None:
    flow, scales = trained
    task = JetFlowTask(flow, scales, toys[0], toys[1], seed=3)
    rows = torch.arange(64)

    def loss(share: slice) -> float:
        return float(task.loss(flow, rows, torch.Generator().manual_seed(5), share).detach())

    assert (loss(slice(0, 32)) + loss(slice(32, 64))) / 2 == pytest.approx(loss(slice(0, 64)), rel=1e-5)
