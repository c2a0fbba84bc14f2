"""Energy flow polynomials against their definition, EnergyFlow's values and hand calculations."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from cloudchamber.jets.energy_flow import EFP_GRAPHS, energy_flow_polynomials
from cloudchamber.jets.features import EFP_NAMES, W1_EFP_NAMES

ORACLE = Path(__file__).parents[1] / "data/oracles/jet_metrics.json"
Jets = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture
def jets(rng) -> Jets:
    """Padded jets of 1 to 9 particles, with the padding scattered over the slots."""
    n_jets, width = 40, 9
    present = rng.permuted(np.arange(width) < rng.integers(1, width + 1, n_jets)[:, None], axis=1)
    pt = np.where(present, rng.exponential(size=(n_jets, width)) + 1e-3, 0.0)
    eta, phi = np.where(present, rng.normal(0.0, 0.4, (2, n_jets, width)), 0.0)
    return pt, eta, phi


def by_definition(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, graph: tuple[tuple[int, int], ...]) -> np.ndarray:
    """One nested sum per vertex."""
    delta_phi = phi[:, :, None] - phi[:, None, :]
    delta_phi = np.abs((delta_phi + np.pi) % (2 * np.pi) - np.pi)
    theta = np.hypot(eta[:, :, None] - eta[:, None, :], delta_phi)
    vertices = range(max((vertex for edge in graph for vertex in edge), default=0) + 1)
    letters = "abcdefgh"
    factors = [f"z{letters[vertex]}" for vertex in vertices] + [f"z{letters[i]}{letters[j]}" for i, j in graph]
    return np.einsum(",".join(factors) + "->z", *[pt] * len(vertices), *[theta] * len(graph), optimize="greedy")


@pytest.mark.parametrize("number", range(len(EFP_GRAPHS)))
def test_each_polynomial_is_the_nested_sum_of_its_graph(jets, number):
    expected = by_definition(*jets, EFP_GRAPHS[number])
    assert expected.max() > 0
    np.testing.assert_allclose(energy_flow_polynomials(*jets)[:, number], expected, rtol=1e-12, atol=1e-15)


def test_energyflow_finds_the_same():
    oracle = json.loads(ORACLE.read_text())
    jets = np.asarray(oracle["generated"])
    columns = [jets[:, :, oracle["columns"].index(name)] for name in ("pt_rel", "eta_rel", "phi_rel")]
    np.testing.assert_allclose(energy_flow_polynomials(*columns), oracle["generated_polynomials"], rtol=1e-10)


def test_graphs_are_all_multigraphs_of_up_to_four_edges():
    # Multigraphs without loops and isolated vertices of 0 to 4 edges, OEIS A050535: 1, 1, 3, 8, 23.
    numbers = np.bincount([len(graph) for graph in EFP_GRAPHS])
    np.testing.assert_array_equal(numbers, [1, 1, 3, 8, 23])
    assert len(set(EFP_GRAPHS)) == len(EFP_NAMES) == 36


def test_graphs_of_w1_efp_are_connected_with_four_vertices_and_edges():
    def connected_with_four(graph: tuple[tuple[int, int], ...]) -> bool:
        adjacency = np.eye(4, dtype=bool)
        for i, j in graph:
            if max(i, j) > 3:
                return False
            adjacency[i, j] = adjacency[j, i] = True
        return len(graph) == 4 and bool(np.linalg.matrix_power(adjacency.astype(int), 4).all())

    expected = [name for name, graph in zip(EFP_NAMES, EFP_GRAPHS, strict=True) if connected_with_four(graph)]
    assert list(W1_EFP_NAMES) == expected


def test_two_particles_by_hand():
    pt, eta, phi = np.array([[3.0, 0.0, 2.0]]), np.array([[0.1, 9.0, 0.4]]), np.array([[3.1, 9.0, -3.1]])
    distance = math.hypot(0.3, 2 * math.pi - 6.2)
    values = energy_flow_polynomials(pt, eta, phi)[0]
    assert values[0] == pytest.approx(5.0, rel=1e-12)
    for edges in (1, 2, 3, 4):
        assert values[edges] == pytest.approx(2 * 3.0 * 2.0 * distance**edges, rel=1e-12)
    # Both ends of the wedge on the other particle.
    assert values[5] == pytest.approx((3.0 * 2.0**2 + 2.0 * 3.0**2) * distance**2, rel=1e-12)
    # There is no triangle between two particles.
    assert values[9] == 0.0
    assert values[35] == pytest.approx((12.0 * distance) ** 4, rel=1e-12)


def test_momenta_scale_with_the_number_of_vertices(jets):
    pt, eta, phi = jets
    vertices = [max((vertex for edge in graph for vertex in edge), default=0) + 1 for graph in EFP_GRAPHS]
    np.testing.assert_allclose(
        energy_flow_polynomials(3 * pt, eta, phi),
        energy_flow_polynomials(*jets) * 3.0 ** np.array(vertices),
        rtol=1e-12,
    )


def test_values_do_not_depend_on_the_axes(jets):
    pt, eta, phi = jets
    np.testing.assert_allclose(
        energy_flow_polynomials(pt, eta + 0.7, phi - 7.0), energy_flow_polynomials(*jets), rtol=1e-9, atol=1e-12
    )


def test_a_jet_without_particles_has_polynomials_of_zero():
    assert not energy_flow_polynomials(*np.zeros((3, 2, 4))).any()
    assert energy_flow_polynomials(*np.zeros((3, 0, 4))).shape == (0, 36)
