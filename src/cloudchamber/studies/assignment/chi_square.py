"""Chi-square of all-hadronic top pairs: the exact minimum over all assignments of jets, compiled.

Both forms of the code behind arXiv 2010.09206 (davidho27941/HEP-jet-assignment) are there, with its widths::

    equal_masses  (m_bqq1 - m_bqq2)^2 / (2 sigma_t^2)                          + W terms
    top_mass      (m_bqq1 - m_t)^2 / sigma_t^2 + (m_bqq2 - m_t)^2 / sigma_t^2  + W terms

with the W terms (m_qq1 - m_W)^2 / sigma_W^2 + (m_qq2 - m_W)^2 / sigma_W^2. With b-tags the b of a top is one of the
tagged jets, while surplus tagged jets may be light ones. The mass of a triplet of jets does not depend on which of them
is the b, so that the best W term is tabulated for each triplet, and only pairs of disjoint triplets are left to
compare: 280 at 8 jets in place of 2,520 assignments.
"""

import numpy as np
from numba import njit

from cloudchamber.studies.assignment.masses import four_momenta
from cloudchamber.studies.assignment.settings import ChiSquareForm, ChiSquareSettings

__all__ = ["best_assignments"]

_DEFAULT = ChiSquareSettings()


def best_assignments(
    jets: np.ndarray,
    mask: np.ndarray,
    settings: ChiSquareSettings = _DEFAULT,
    form: ChiSquareForm = "top_mass",
    b_tags: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the assignment with the lowest chi-square of each event, and that chi-square.

    Args:
        jets: (N, J, 5) pt [GeV], eta, phi [rad], mass [GeV] and b-tag (above one half: tagged).
        mask: (N, J) bool, true for jets, which come first.
        settings: masses and widths.
        form: which chi-square.
        b_tags: whether only tagged jets may be the b of a top.

    Returns:
        (N, 6) int64 jets of b, q1, q2 of one top and of the other, -1 where an event has fewer than six jets or, with
        b-tags, than two tagged ones; and (N,) float64, infinite there.
    """
    momenta = four_momenta(jets)
    tagged = np.asarray(jets)[:, :, 4] > 0.5 if b_tags else np.ones(mask.shape, bool)
    assignment = np.full((len(mask), 6), -1)
    chi_square = np.full(len(mask), np.inf)
    counts = mask.sum(axis=1)
    numbers = (settings.w_mass, settings.w_width, settings.top_mass, settings.top_width)
    for n in np.unique(counts[counts >= 6]):
        rows = np.flatnonzero(counts == n)
        triplets, pairs = _tables(int(n))
        found = _minimise(
            momenta[rows][:, :n].copy(), tagged[rows][:, :n].copy(), triplets, pairs, form == "top_mass", *numbers
        )
        assignment[rows], chi_square[rows] = found
    return assignment, chi_square


def _tables(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the (T, 3) triplets of n jets, and the (P, 2) numbers of disjoint triplets, each pair once."""
    triplets = np.array([(i, j, k) for i in range(n) for j in range(i + 1, n) for k in range(j + 1, n)])
    members = (1 << triplets).sum(axis=1)
    one, other = np.triu_indices(len(triplets), 1)
    disjoint = (members[one] & members[other]) == 0
    return triplets, np.stack([one[disjoint], other[disjoint]], axis=1)


@njit(cache=True)
def _mass(momenta: np.ndarray, jets: tuple[int, ...]) -> float:
    px = py = pz = energy = 0.0
    for jet in jets:
        px += momenta[jet, 0]
        py += momenta[jet, 1]
        pz += momenta[jet, 2]
        energy += momenta[jet, 3]
    return np.sqrt(max(energy * energy - px * px - py * py - pz * pz, 0.0))


@njit(cache=True)
def _best_b(w_term: np.ndarray, tagged: np.ndarray, triplet: np.ndarray) -> tuple[float, int]:
    """Return the lowest W term of a triplet of jets and which of them is then the b; infinite and -1 without a tag."""
    i, j, k = triplet
    best, b = np.inf, -1
    if tagged[i]:
        best, b = w_term[j, k], 0
    if tagged[j] and w_term[i, k] < best:
        best, b = w_term[i, k], 1
    if tagged[k] and w_term[i, j] < best:
        best, b = w_term[i, j], 2
    return best, b


@njit(cache=True)
def _best_pair(
    pairs: np.ndarray, best: np.ndarray, mass: np.ndarray, fixed: bool, top_width: float
) -> tuple[float, int]:
    """Return the lowest chi-square of two disjoint triplets and the number of the pair; infinite and -1 for none."""
    winner, value = -1, np.inf
    for number in range(len(pairs)):
        one, other = pairs[number]
        total = best[one] + best[other]
        if not fixed and total < value:
            pull = (mass[one] - mass[other]) / top_width
            total += 0.5 * pull * pull
        if total < value:
            winner, value = number, total
    return value, winner


@njit(cache=True)
def _minimise(
    momenta: np.ndarray,
    tagged: np.ndarray,
    triplets: np.ndarray,
    pairs: np.ndarray,
    fixed: bool,
    w_mass: float,
    w_width: float,
    top_mass: float,
    top_width: float,
) -> tuple[np.ndarray, np.ndarray]:
    events, n = momenta.shape[:2]
    assignment = np.full((events, 6), -1)
    lowest = np.full(events, np.inf)
    w_term = np.empty((n, n))
    best = np.empty(len(triplets))
    mass = np.empty(len(triplets))
    b_of = np.empty(len(triplets), np.int64)
    for event in range(events):
        of_event = momenta[event]
        for i in range(n):
            for j in range(i + 1, n):
                pull = (_mass(of_event, (i, j)) - w_mass) / w_width
                w_term[i, j] = pull * pull
        for number in range(len(triplets)):
            i, j, k = triplets[number]
            best[number], b_of[number] = _best_b(w_term, tagged[event], triplets[number])
            mass[number] = _mass(of_event, (i, j, k))
            if fixed:
                pull = (mass[number] - top_mass) / top_width
                best[number] += pull * pull
        lowest[event], winner = _best_pair(pairs, best, mass, fixed, top_width)
        if winner < 0:
            continue
        for side in range(2):
            chosen = pairs[winner, side]
            b = b_of[chosen]
            for place in range(3):
                assignment[event, 3 * side + place] = triplets[chosen, (b + place) % 3]
    return assignment, lowest
