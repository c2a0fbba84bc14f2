"""Energy flow polynomials and substructure, compiled over all jets, against one jet after the other.

The plain way to the polynomials is that of EnergyFlow, whose version 1.4.0 took about 0.9 of the time of this
transcription on the same machine. The plain way to substructure is that of the published code of arXiv 2310.00049
(module jet_substructure), but without its clustering beforehand and without computing e2 and e3 anew for D2.
"""

import string
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations

import awkward as ak
import fastjet
import numpy as np

from benchmarks.timing import Measurement, measure
from cloudchamber.jets.energy_correlation import d2, energy_correlations
from cloudchamber.jets.energy_flow import EFP_GRAPHS, energy_flow_polynomials
from cloudchamber.jets.features import EFP_NAMES, W1_EFP_NAMES
from cloudchamber.jets.n_subjettiness import subjettiness, subjettiness_basis

__all__ = ["measurements"]

_Jets = tuple[np.ndarray, np.ndarray, np.ndarray]
# The own way and that of the peer to the same numbers.
_Sides = tuple[Callable[[], np.ndarray], Callable[[], np.ndarray]]
_RADIUS = 0.8
# Beyond all particles, so that nothing is merged with the beam.
_CLUSTERING = fastjet.JetDefinition(fastjet.kt_algorithm, 50.0)


def _jets(n_jets: int, width: int) -> _Jets:
    """Return transverse momenta of sum one, pseudorapidities and azimuths."""
    rng = np.random.default_rng(1)
    pt = rng.exponential(size=(n_jets, width)) ** 2 + 1e-6
    eta, phi = rng.normal(0.0, 0.2, (2, n_jets, width))
    return pt / pt.sum(axis=1, keepdims=True), eta, phi


def _einsum_of_graph(graph: tuple[tuple[int, int], ...], width: int) -> Callable[[np.ndarray, np.ndarray], float]:
    """Return a function of z and theta; the order of contraction is found once, as EnergyFlow does."""
    n_vertices = 1 + max(vertex for edge in graph for vertex in edge)
    letters = string.ascii_letters
    terms = [letters[vertex] for vertex in range(n_vertices)] + [letters[i] + letters[j] for i, j in graph]
    subscripts = ",".join(terms) + "->"
    shapes = [np.empty(len(term) * (width,)) for term in terms]
    path = np.einsum_path(subscripts, *shapes, optimize="greedy")[0]
    return lambda z, theta: np.einsum(subscripts, *[z] * n_vertices, *[theta] * len(graph), optimize=path)


def _polynomials(jets: _Jets) -> _Sides:
    """Return own, which computes all 36 polynomials, and the plain way to the five of W1-EFP."""
    numbers = [EFP_NAMES.index(name) for name in W1_EFP_NAMES]
    functions = [_einsum_of_graph(EFP_GRAPHS[number], jets[0].shape[1]) for number in numbers]

    def own() -> np.ndarray:
        return energy_flow_polynomials(*jets)[:, numbers]

    def peer() -> np.ndarray:
        rows = []
        for z, eta, phi in zip(*jets, strict=True):
            delta_phi = np.pi - np.abs(np.abs(phi[:, None] - phi) - np.pi)
            theta = np.sqrt((eta[:, None] - eta) ** 2 + delta_phi**2)
            rows.append([function(z, theta) for function in functions])
        return np.array(rows)

    return own, peer


def _subjettiness_of_one(
    pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, n_axes: int, betas: Sequence[float]
) -> list[float]:
    particles = [
        fastjet.PseudoJet(*momentum)
        for momentum in zip(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), pt * np.cosh(eta), strict=True)
    ]
    clusters = fastjet.ClusterSequence(particles, _CLUSTERING)
    tau = []
    for number in range(1, n_axes + 1):
        axes = clusters.exclusive_jets(number)
        axis_eta, axis_phi = (
            np.array(values) for values in zip(*((axis.rap(), axis.phi_std()) for axis in axes), strict=True)
        )
        delta_phi = np.pi - np.abs(np.abs(phi[:, None] - axis_phi) - np.pi)
        nearest = np.hypot(eta[:, None] - axis_eta, delta_phi).min(axis=1)
        tau += [(pt * nearest**beta).sum() / (_RADIUS**beta * pt.sum()) for beta in betas]
    return tau


def _correlation_of_one(particles: np.ndarray, order: int) -> float:
    """Return e_2 or e_3 of (P, 3) particles: a table of all index pairs or triplets, and every distance in each."""
    indices = np.indices(order * (len(particles),), dtype=np.uint8).reshape(order, -1)
    drawn = particles[indices.T[np.logical_and.reduce(indices[:-1] < indices[1:])]]
    product = drawn[:, :, 0].prod(axis=1)
    for i, j in combinations(range(order), 2):
        delta_phi = np.abs(drawn[:, i, 2] - drawn[:, j, 2]) % (2 * np.pi)
        product *= np.hypot(drawn[:, i, 1] - drawn[:, j, 1], np.minimum(delta_phi, 2 * np.pi - delta_phi))
    return product.sum() / particles[:, 0].sum() ** order


def _substructure(jets: _Jets) -> _Sides:
    def own() -> np.ndarray:
        e2, e3 = energy_correlations(*jets)
        return np.column_stack([subjettiness(*jets, _RADIUS), e2, e3, d2(e2, e3)])

    def peer() -> np.ndarray:
        rows = []
        for jet in zip(*jets, strict=True):
            e2, e3 = (_correlation_of_one(np.column_stack(jet), order) for order in (2, 3))
            rows.append([*_subjettiness_of_one(*jet, 3, (1.0,)), e2, e3, e3 / e2**3])
        return np.array(rows)

    return own, peer


def _plain_subjettiness(jets: _Jets, n_axes: int, betas: tuple[float, ...]) -> _Sides:
    return (
        lambda: subjettiness_basis(*jets, _RADIUS, n_axes, betas).reshape(len(jets[0]), -1),
        lambda: np.array([_subjettiness_of_one(*jet, n_axes, betas) for jet in zip(*jets, strict=True)]),
    )


def _contrib_subjettiness(jets: _Jets, n_axes: int, betas: tuple[float, ...]) -> _Sides:
    """Return own and FastJet contrib's own routine, which clusters all jets in one call and anew for each number."""
    own, _ = _plain_subjettiness(jets, n_axes, betas)

    def peer() -> np.ndarray:
        pt, eta, phi = jets
        momentum = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "E": pt * np.cosh(eta)}
        particles = ak.from_regular(ak.zip({name: ak.from_numpy(values) for name, values in momentum.items()}))
        clusters = fastjet.ClusterSequence(particles, _CLUSTERING)
        tau = [
            clusters.njettiness(
                measure_definition="NormalizedMeasure",
                axes_definition="KT_Axes",
                njets=list(range(1, n_axes + 1)),
                beta=beta,
                R0=_RADIUS,
            )
            for beta in betas
        ]
        return np.stack([np.asarray(values).reshape(len(pt), n_axes) for values in tau], axis=2).reshape(len(pt), -1)

    return own, peer


def measurements(rounds: int) -> Iterator[Measurement]:
    """Measure the five polynomials of W1-EFP; tau_1 to tau_3, e2, e3 and D2; the high-level features of tagging."""
    polynomials = "W1-EFP polynomials, N=30: all 36 compiled against those five with a generic einsum per jet and graph"
    substructure = "tau, e2, e3, D2, N={}: compiled against FastJet in Python and index triplets per jet"
    features = "tau_1 to tau_{}, {} exponents, N=100: compiled against {}"
    plain, contrib = "FastJet axes and numpy per jet", "FastJet contrib"
    standard, basis = (1.0, 2.0), (0.5, 1.0, 2.0)
    for benchmark, text, sides, n_jets, width, target in (
        ("energy flow polynomials", polynomials, _polynomials, 500, 30, 25.0),
        ("substructure", substructure.format(30), _substructure, 300, 30, 50.0),
        ("substructure", substructure.format(100), _substructure, 30, 100, 200.0),
        (
            "n-subjettiness",
            features.format(8, 2, plain),
            partial(_plain_subjettiness, n_axes=8, betas=standard),
            50,
            100,
            None,
        ),
        (
            "n-subjettiness",
            features.format(8, 2, contrib),
            partial(_contrib_subjettiness, n_axes=8, betas=standard),
            200,
            100,
            None,
        ),
        (
            "n-subjettiness",
            features.format(45, 3, contrib),
            partial(_contrib_subjettiness, n_axes=45, betas=basis),
            20,
            100,
            None,
        ),
    ):
        own, peer = sides(_jets(n_jets, width))
        np.testing.assert_allclose(own(), peer(), rtol=1e-8)
        yield Measurement(benchmark, text, *measure(own, peer, rounds), n_jets, "jets", target)
