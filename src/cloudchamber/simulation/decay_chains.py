"""Heavy particles that decay step by step to quarks, all events of a batch at once.

Each step is isotropic in the rest frame of what decays. A decay that does not pass the cuts on its quarks is drawn
anew, masses of intermediate resonances included, with the same parent: transverse momentum, mass and rapidity of the
parents stay flat. The table of the chains is in ``docs/extreme_jets.md``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np

from cloudchamber.errors import SettingsError
from cloudchamber.settings.processes import DecayChainProcess, FixedMasses, ProngCuts
from cloudchamber.simulation.two_body import rapidity_and_azimuth, two_body

__all__ = ["CHAINS", "SCALAR", "Chain", "Decay", "draw_decays", "off_shell_masses"]

SCALAR: Final = 9000001  # number of the colourless parent, free for particles of the user
_W, _HIGGS, _TOP = 24, 25, 6
_QUARK_MASSES = np.array([0.0, 0.0, 0.0, 0.0, 1.5, 4.8])  # [GeV] by flavour number, those of Pythia for c and b

_W_WIDTH = 2.085  # [GeV]
_OFF_SHELL_MIN = 3.0  # [GeV], above the charm quark; 0.4 % of all W* are lighter, most of them hadrons rather than jets
_OFF_SHELL_CELLS = 1000  # of equal width in the square of the mass

_BLOCK = 1 << 12  # decays drawn at a time
_TRIALS_MAX = 200_000  # per parent; the rarest accepted decays of the default settings need some thousand


@final
@dataclass(frozen=True)
class Decay:
    """A particle and what it decays to.

    Attributes:
        pid: particle number.
        products: the two particles it decays to; none for a quark.
        flavours: numbers of the two quarks it decays to, one of the pairs with equal probability; then there are no
            ``products``.
    """

    pid: int
    products: tuple["Decay", ...] = ()
    flavours: tuple[tuple[int, int], ...] = ()

    @property
    def conjugate(self) -> "Decay":
        """The antiparticle, whose products are the antiparticles."""
        products = tuple(product.conjugate for product in self.products)
        flavours = tuple((-first, -second) for first, second in self.flavours)
        return Decay(self.pid if self.pid in (SCALAR, _HIGGS) else -self.pid, products, flavours)


_HADRONIC_W = Decay(_W, flavours=((2, -1), (4, -3)))
_HADRONIC_TOP = Decay(_TOP, (Decay(5), _HADRONIC_W))
_HIGGS_TO_BB = Decay(_HIGGS, flavours=((5, -5),))
_HIGGS_TO_WW = Decay(_HIGGS, (_HADRONIC_W, _HADRONIC_W.conjugate))

CHAINS: Mapping[str, Decay] = {
    "2": Decay(SCALAR, flavours=((1, -1), (2, -2), (3, -3), (4, -4))),
    "3": _HADRONIC_TOP,
    "4b": Decay(SCALAR, (_HIGGS_TO_BB, _HIGGS_TO_BB)),
    "4q": Decay(SCALAR, (_HADRONIC_W, _HADRONIC_W.conjugate)),
    "6": Decay(SCALAR, (_HADRONIC_TOP, _HADRONIC_TOP.conjugate)),
    "8": Decay(SCALAR, (_HIGGS_TO_WW, _HIGGS_TO_WW)),
}


@final
@dataclass(frozen=True)
class Chain:
    """The same chain of decays for n parents, K particles each, the parent first.

    Attributes:
        mother: (K,) int, position of the mother; -1 for the parent.
        pid: (n, K) int.
        momentum: (n, K, 4) px, py, pz, E [GeV].
        mass: (n, K) [GeV].
    """

    mother: np.ndarray
    pid: np.ndarray
    momentum: np.ndarray
    mass: np.ndarray

    @property
    def is_quark(self) -> np.ndarray:
        """(K,) bool, the particles at the ends of the chain."""
        return ~np.isin(np.arange(len(self.mother)), self.mother)

    def __getitem__(self, rows: np.ndarray) -> "Chain":
        """Return the chains of some parents."""
        return replace(self, pid=self.pid[rows], momentum=self.momentum[rows], mass=self.mass[rows])


def draw_decays(
    decay: Decay, parent: np.ndarray, mass: np.ndarray, process: DecayChainProcess, rng: np.random.Generator
) -> Chain:
    """Return decays of all parents that pass the cuts of ``process``.

    Args:
        decay: an entry of :data:`CHAINS`, or its conjugate.
        parent: (n, 4) px, py, pz, E [GeV].
        mass: (n,) mass of the parents [GeV].
        process: ranges of intermediate masses, and the cuts.
        rng: source of randomness.

    Raises:
        SettingsError: a mass is too low for the decay, or nearly no decay passes the cuts.
    """
    accepted = _chain(decay, parent, mass, process, rng)
    waiting = np.flatnonzero(~_passes(accepted, process.cuts))
    trials = 1
    while len(waiting):
        if trials > _TRIALS_MAX:
            raise SettingsError(
                f"cuts: {len(waiting)} of {len(parent)} decays to class {process.prongs} do not pass in {trials} trials"
            )
        copies = -(-_BLOCK // len(waiting))
        trials += copies
        tried = np.tile(waiting, copies)
        drawn = _chain(decay, parent[tried], mass[tried], process, rng)
        passing = np.flatnonzero(_passes(drawn, process.cuts))
        rows, first = np.unique(tried[passing], return_index=True)
        for name in ("pid", "momentum", "mass"):
            getattr(accepted, name)[rows] = getattr(drawn, name)[passing[first]]
        waiting = np.setdiff1d(waiting, rows, assume_unique=True)
    return accepted


def _chain(
    decay: Decay, parent: np.ndarray, mass: np.ndarray, process: DecayChainProcess, rng: np.random.Generator
) -> Chain:
    """Return one decay of each parent, without cuts."""
    mothers = [-1]
    pids, momenta, masses = [np.full(len(parent), decay.pid)], [parent], [mass]
    pending = [(decay, 0)]
    while pending:
        decaying, row = pending.pop()
        products = _product_pids(decaying, len(parent), rng)
        product_masses = _product_masses(decaying, products, masses[row], process, rng)
        products_momenta = two_body(momenta[row], masses[row], product_masses[0], product_masses[1], rng)
        pending += [(product, len(mothers) + i) for i, product in enumerate(decaying.products) if _decays(product)]
        mothers += [row, row]
        pids += products
        masses += product_masses
        momenta += products_momenta
    return Chain(np.array(mothers), *(np.stack(values, axis=1) for values in (pids, momenta, masses)))


def _decays(particle: Decay) -> bool:
    return bool(particle.products or particle.flavours)


def _product_pids(decay: Decay, n: int, rng: np.random.Generator) -> list[np.ndarray]:
    if decay.products:
        return [np.full(n, product.pid) for product in decay.products]
    return list(np.array(decay.flavours)[rng.integers(len(decay.flavours), size=n)].T)


def _product_masses(
    decay: Decay, pids: list[np.ndarray], mass: np.ndarray, process: DecayChainProcess, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return the masses of both products; two resonances from one decay are as heavy as each other, but for W W*."""
    resonances = [_decays(product) for product in decay.products] or [False, False]
    if process.masses == "fixed":
        heavy = _fixed_masses(decay, mass, process.fixed_masses, rng)
    else:
        low, high = process.pair_masses if all(resonances) else process.top_w_masses
        share = mass * rng.uniform(low, high, len(mass)) if any(resonances) else mass
        heavy = [share, share]
    return [
        own if resonance else _QUARK_MASSES[np.abs(pid)]
        for resonance, own, pid in zip(resonances, heavy, pids, strict=True)
    ]


def _fixed_masses(decay: Decay, mass: np.ndarray, fixed: FixedMasses, rng: np.random.Generator) -> list[np.ndarray]:
    of_kind = {_W: fixed.w, _HIGGS: fixed.higgs, _TOP: fixed.top}
    values = [np.full(len(mass), of_kind.get(abs(product.pid), 0.0)) for product in decay.products]
    if not values:
        return [mass, mass]
    if decay.pid == _HIGGS and 2 * fixed.w > fixed.higgs:
        # Either of the two may be the one that is off its mass shell.
        off_shell, first = off_shell_masses(fixed.higgs, fixed.w, len(mass), rng), rng.random(len(mass)) < 0.5
        values = [np.where(first, off_shell, values[0]), np.where(first, values[1], off_shell)]
    return values


def off_shell_masses(higgs: float, w: float, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the mass of the W* of n decays h -> W W* with the W on its mass shell [GeV].

    Of q^2, the square of the mass, the density is that of Djouadi, hep-ph/0503172, section 2.1.2:
    sqrt(lambda) (lambda + 12 w^2 q^2 / higgs^4) / ((q^2 - w^2)^2 + w^2 width^2), where lambda is the triangle function
    of w^2 and q^2 over higgs^2.

    Args:
        higgs, w: masses [GeV], the first above the second.
        n: how many.
        rng: source of randomness.
    """
    edges = np.linspace(_OFF_SHELL_MIN**2, (higgs - w) ** 2, _OFF_SHELL_CELLS + 1)
    square = 0.5 * (edges[1:] + edges[:-1])
    x, y = w**2 / higgs**2, square / higgs**2
    triangle = (1 - x - y) ** 2 - 4 * x * y
    density = np.sqrt(triangle) * (triangle + 12 * x * y) / ((square - w**2) ** 2 + (w * _W_WIDTH) ** 2)
    cell = rng.choice(_OFF_SHELL_CELLS, n, p=density / density.sum())
    return np.sqrt(rng.uniform(edges[cell], edges[cell + 1]))


def _passes(chain: Chain, cuts: ProngCuts) -> np.ndarray:
    """Return (n,) bool, whether the quarks of each parent pass the cuts."""
    quarks = np.flatnonzero(chain.is_quark)
    passing = np.hypot(*np.moveaxis(chain.momentum[:, quarks, :2], -1, 0)).min(axis=1) > cuts.pt_min
    for reference, others in _pairs(quarks):
        left = np.flatnonzero(passing)
        y, phi = rapidity_and_azimuth(chain.momentum[np.ix_(left, np.append(reference, others))])
        dphi = np.pi - np.abs(np.pi - np.abs(phi[:, 1:] - phi[:, :1]))
        distance = np.hypot(y[:, 1:] - y[:, :1], dphi)
        # The parent comes first: its distances are those to the axis.
        good = distance < cuts.radius_max if reference == 0 else distance > cuts.separation_min
        passing[left] = good.all(axis=1)
    return passing


def _pairs(quarks: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the parent with all quarks, then each quark with those after it."""
    yield 0, quarks
    for number in range(len(quarks) - 1):
        yield int(quarks[number]), quarks[number + 1 :]
