"""Decay chains: exact kinematics, isotropy, cuts and masses."""

from itertools import combinations
from math import atan2, atanh, hypot, pi
from pathlib import Path

import numpy as np
import pytest
import uproot
from decay_chain_processes import CLASSES, process
from scipy.integrate import quad
from scipy.stats import chi2, kstest

from cloudchamber.errors import SettingsError
from cloudchamber.settings.processes import FixedMasses, ProngCuts
from cloudchamber.simulation.decay_chains import SCALAR, off_shell_masses
from cloudchamber.simulation.les_houches import draw_pairs
from cloudchamber.simulation.simulate import simulate
from cloudchamber.simulation.two_body import two_body

THIRDS = {1: -1, 2: 2, 3: -1, 4: 2, 5: -1, 6: 2, 24: 3, 25: 0, SCALAR: 0}
# A test that is right fails by chance with this probability.
P_VALUE = 1e-4


def mass_squared(momentum):
    return momentum[..., 3] ** 2 - (momentum[..., :3] ** 2).sum(axis=-1)


# --- kinematics -----------------------------------------------------------------------------------------------------


def lorentz_boost(momentum, mass):
    """The matrix that takes four-momenta (px, py, pz, E) to the rest frame of ``momentum``."""
    gamma, beta = momentum[3] / mass, momentum[:3] / momentum[3]
    matrix = np.empty((4, 4))
    matrix[:3, :3] = np.eye(3) + (gamma - 1) * np.outer(beta, beta) / (beta @ beta)
    matrix[3, 3] = gamma
    matrix[3, :3] = matrix[:3, 3] = -gamma * beta
    return matrix


def test_two_body_decays_conserve_momentum_and_are_isotropic(rng) -> None:
    n = 4000
    mass, first, second = rng.uniform(200, 700, n), rng.uniform(1, 90, n), np.full(n, 4.8)
    parent = np.column_stack([rng.normal(0, 800, (n, 3)), np.zeros(n)])
    parent[:, 3] = np.sqrt((parent**2).sum(axis=1) + mass**2)
    products = two_body(parent, mass, first, second, rng)
    np.testing.assert_allclose(products[0] + products[1], parent, rtol=1e-12, atol=1e-9)
    for product, own in zip(products, (first, second), strict=True):
        np.testing.assert_allclose(mass_squared(product), own**2, atol=1e-9 * parent[:, 3].max() ** 2)
    rest = np.array([lorentz_boost(p, m) @ q for p, m, q in zip(parent, mass, products[0], strict=True)])
    # Energy of the first product in the rest frame (Particle Data Group, review of kinematics, equation 49.16).
    np.testing.assert_allclose(rest[:, 3], (mass**2 + first**2 - 4.8**2) / (2 * mass), rtol=1e-9)
    cosine = rest[:, 2] / np.sqrt((rest[:, :3] ** 2).sum(axis=1))
    azimuth = np.arctan2(rest[:, 1], rest[:, 0])
    cells, *_ = np.histogram2d(cosine, azimuth, bins=(8, 8), range=((-1, 1), (-np.pi, np.pi)))
    assert chi2.sf(((cells - n / 64) ** 2 / (n / 64)).sum(), 63) > P_VALUE


def test_a_decay_to_more_than_there_is_is_refused(rng) -> None:
    parent, mass = np.array([[0.0, 0.0, 10.0, 15.0]]), np.sqrt([125.0])
    with pytest.raises(SettingsError, match=r"mass: no decay of 11\.18 GeV to 7 and 4\.8 GeV"):
        two_body(parent, mass, np.array([7.0]), np.array([4.8]), rng)


@pytest.mark.parametrize("prongs", CLASSES)
def test_each_step_of_a_chain_conserves_what_it_must(prongs: str, rng) -> None:
    settings = process(prongs)
    for sign, chain in zip((1, -1), draw_pairs(settings, 300, rng), strict=True):
        np.testing.assert_allclose(mass_squared(chain.momentum), chain.mass**2, atol=1e-2)
        assert chain.is_quark.sum() == CLASSES[prongs]
        assert (np.abs(chain.pid[:, chain.is_quark]) <= 5).all()
        charge = np.sign(chain.pid) * np.vectorize(THIRDS.get)(np.abs(chain.pid))
        for mother in np.unique(chain.mother[1:]):
            products = chain.mother == mother
            assert products.sum() == 2
            np.testing.assert_allclose(
                chain.momentum[:, products].sum(axis=1), chain.momentum[:, mother], rtol=1e-9, atol=1e-6
            )
            np.testing.assert_array_equal(charge[:, products].sum(axis=1), charge[:, mother])
            resonances = products & ~chain.is_quark
            shares = chain.mass[:, resonances] / chain.mass[:, [mother]]
            low, high = settings.pair_masses if resonances.sum() == 2 else settings.top_w_masses
            assert ((shares >= low) & (shares <= high)).all()
            if resonances.sum() == 2:
                np.testing.assert_allclose(shares[:, 0], shares[:, 1])
        assert (chain.pid[:, 0] == (6 * sign if prongs == "3" else SCALAR)).all()


def test_the_chains_are_those_of_the_table() -> None:
    """Quarks at the end of each chain, as often as the flavours allow; docs/extreme_jets.md."""
    rng = np.random.default_rng(3)
    for prongs, bottoms, strange in (
        ("2", 0, 0.5),
        ("3", 1, 0.5),
        ("4b", 4, 0),
        ("4q", 0, 1),
        ("6", 2, 1),
        ("8", 0, 2),
    ):
        chain, _ = draw_pairs(process(prongs), 400, rng)
        quarks = np.abs(chain.pid[:, chain.is_quark])
        assert set((quarks == 5).sum(axis=1)) == {bottoms}
        mean = (quarks == 3).sum(axis=1).mean()
        assert mean == pytest.approx(strange, abs=0.15)
        assert (
            sorted(set(np.abs(chain.pid[0, ~chain.is_quark])))
            == {
                "2": [SCALAR],
                "3": [6, 24],
                "4b": [25, SCALAR],
                "4q": [24, SCALAR],
                "6": [6, 24, SCALAR],
                "8": [24, 25, SCALAR],
            }[prongs]
        )


@pytest.mark.parametrize("prongs", CLASSES)
def test_quarks_pass_the_cuts(prongs: str, rng) -> None:
    cuts = ProngCuts(pt_min=25, separation_min=0.2, radius_max=0.9) if prongs in ("2", "3") else ProngCuts()
    (chain, _) = draw_pairs(process(prongs, cuts=cuts), 60, rng)
    for momenta in chain.momentum:
        axis, *quarks = ((atanh(p[2] / p[3]), atan2(p[1], p[0]), hypot(*p[:2])) for p in momenta)
        quarks = [quark for quark, is_quark in zip(quarks, chain.is_quark[1:], strict=True) if is_quark]
        assert min(pt for *_, pt in quarks) > cuts.pt_min
        assert all(distance(axis, quark) < cuts.radius_max for quark in quarks)
        assert all(distance(one, other) > cuts.separation_min for one, other in combinations(quarks, 2))


def distance(one, other):
    return hypot(one[0] - other[0], (one[1] - other[1] + pi) % (2 * pi) - pi)


@pytest.mark.parametrize("prongs", ["2", "8"])
def test_parents_are_flat_in_pt_mass_and_rapidity(prongs: str, rng) -> None:
    settings = process(prongs, rapidity_max=1.0)
    pair = draw_pairs(settings, 1000, rng)
    for chain in pair:
        px, py, pz, energy = chain.momentum[:, 0].T
        windows = (settings.pt, settings.mass, (-1.0, 1.0), (-pi, pi))
        values = (np.hypot(px, py), chain.mass[:, 0], np.arctanh(pz / energy), np.arctan2(py, px))
        for value, (low, high) in zip(values, windows, strict=True):
            assert kstest(value, "uniform", (low, high - low)).pvalue > P_VALUE
    np.testing.assert_allclose(pair[0].momentum[:, 0, :2], -pair[1].momentum[:, 0, :2])
    assert abs(np.corrcoef(pair[0].mass[:, 0], pair[1].mass[:, 0])[0, 1]) < 4 / np.sqrt(1000)


def test_no_pair_asks_for_more_than_a_proton_has(rng) -> None:
    one, other = draw_pairs(process("2", rapidity_max=3.0), 500, rng)
    total = one.momentum[:, 0] + other.momentum[:, 0]
    assert (total[:, 3] + np.abs(total[:, 2]) < 0.8 * 13000).all()


# --- masses of nature ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prongs", CLASSES)
def test_fixed_masses_are_those_of_the_settings(prongs: str, rng) -> None:
    fixed = FixedMasses(top=140.0)
    settings = process(prongs, masses="fixed", fixed_masses=fixed)
    for chain in draw_pairs(settings, 200, rng):
        np.testing.assert_allclose(mass_squared(chain.momentum), chain.mass**2, atol=1e-2)
        for mother in np.unique(chain.mother[1:]):
            products = chain.mother == mother
            np.testing.assert_allclose(
                chain.momentum[:, products].sum(axis=1), chain.momentum[:, mother], rtol=1e-9, atol=1e-6
            )
            if prongs == "8" and abs(chain.pid[0, mother]) == 25:
                # One W on its mass shell, and either of the two.
                light, heavy = np.sort(chain.mass[:, products], axis=1).T
                np.testing.assert_array_equal(heavy, fixed.w)
                assert (light < fixed.higgs - fixed.w).all()
                assert 0.3 < (chain.mass[:, products][:, 0] < fixed.w).mean() < 0.7
        for pid, mass in ((25, fixed.higgs), (6, fixed.top), (24, fixed.w)):
            rows = (np.abs(chain.pid[0]) == pid) & (np.arange(len(chain.mother)) > 0)
            if not (prongs == "8" and pid == 24):
                np.testing.assert_array_equal(chain.mass[:, rows], mass)
        assert kstest(chain.mass[:, 0], "uniform", (300, 460)).pvalue > P_VALUE


def test_the_second_w_of_a_light_higgs_has_the_mass_of_the_theory(rng) -> None:
    """Mean and share below 20 GeV by numerical integration of the density in the mass itself."""
    higgs, w = 125.0, 80.4

    def density(mass: float) -> float:
        square = mass * mass
        # Two-body momentum over half the mass of the h.
        momentum = np.sqrt((higgs**2 - (w + mass) ** 2) * (higgs**2 - (w - mass) ** 2)) / higgs**2
        return 2 * mass * momentum * (momentum**2 + 12 * w**2 * square / higgs**4) / (
            (square - w**2) ** 2 + (w * 2.085) ** 2
        )  # fmt: skip

    norm, mean, low = (
        quad(function, 3.0, end)[0]
        for function, end in ((density, higgs - w), (lambda mass: mass * density(mass), higgs - w), (density, 20.0))
    )
    drawn = off_shell_masses(higgs, w, 40_000, rng)
    assert drawn.mean() == pytest.approx(mean / norm, abs=4 * drawn.std() / 200)
    assert (drawn < 20).mean() == pytest.approx(low / norm, abs=0.01)


def test_a_heavy_higgs_has_both_w_on_their_mass_shell(rng) -> None:
    settings = process("8", masses="fixed", fixed_masses=FixedMasses(higgs=165.0), mass=(400, 700))
    chain, _ = draw_pairs(settings, 50, rng)
    assert (chain.mass[:, np.abs(chain.pid[0]) == 24] == 80.4).all()


def test_masses_of_nature_in_events_of_pythia(tmp_path: Path) -> None:
    settings = process("4q", masses="fixed", events=6, particles="hard")
    simulate("x", settings, 4, 0, tmp_path / "a.root")
    tree = uproot.open(tmp_path / "a.root")["Delphes"]
    pid, mass = (np.concatenate(tree[f"Particle.{leaf}"].array(library="np")) for leaf in ("PID", "Mass"))
    np.testing.assert_allclose(mass[np.abs(pid) == 24], 80.4, rtol=1e-4)
