"""Weights that make jet mass and jet pT of one class flat.

A weight is the product of a factor of the bin in mass and a factor of the bin in pT, found by iterative proportional
fitting (Deming and Stephan 1940): the weighted spectra of mass and of pT are then flat in their bins exactly. A product
has as many free numbers as there are bins of both, each fitted to many jets; weights of the bins of mass and pT
together would rest on a handful of jets each where a spectrum falls steeply, as that of light jets does. The price is
that a correlation of mass and pT within a class remains; it is small in narrow windows, and stated.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

from cloudchamber.errors import InputError
from cloudchamber.preparation.unweighting import effective_size
from cloudchamber.settings.tagging_sample import FlatWeightSettings

__all__ = ["FlatWeights", "flat_weights"]

_ITERATIONS = 1000
_TOLERANCE = 1e-10


@final
@dataclass(frozen=True)
class FlatWeights:
    """Weights of the jets of one class.

    Attributes:
        values: (N,) float64, of mean one.
        effective_size: jets of equal weight that would fluctuate as little.
        capped: jets whose weight was cut to the largest allowed one.
        deviation: largest relative deviation of a bin of mass or pT from flat; zero where no weight was cut.
        correlation: of mass and pT after weighting.
    """

    values: np.ndarray
    effective_size: float
    capped: int
    deviation: float
    correlation: float


def flat_weights(
    mass: np.ndarray,
    pt: np.ndarray,
    mass_window: tuple[float, float],
    pt_window: tuple[float, float],
    settings: FlatWeightSettings,
    event_weights: np.ndarray | None = None,
) -> FlatWeights:
    """Return weights that make the spectra of mass and pT flat within their windows.

    Event weights are a factor of these weights: they are flat as a whole, and within a bin in proportion to those of
    the events.

    Args:
        mass, pt: (N,) of jets within the windows [GeV].
        mass_window, pt_window: limits [GeV].
        settings: bins, largest weight and least effective sample size.
        event_weights: (N,) positive; None where all events weigh the same.

    Raises:
        InputError: a bin has no jet, the bins that have jets allow no flat spectra, or the effective sample size is
            below the stated share of the jets.
    """
    of_mass = _bins(mass, mass_window, settings.mass_bins, "mass")
    of_pt = _bins(pt, pt_window, settings.pt_bins, "pT")
    counts = np.zeros((settings.mass_bins, settings.pt_bins))
    np.add.at(counts, (of_mass, of_pt), 1.0 if event_weights is None else event_weights / event_weights.mean())
    mass_factor, pt_factor = _product(counts)
    weights = mass_factor[of_mass] * pt_factor[of_pt]
    if event_weights is not None:
        weights *= event_weights
    weights /= weights.mean()
    capped = weights > settings.cap
    weights[capped] = settings.cap
    weights /= weights.mean()
    effective = effective_size(weights)
    if effective < settings.effective_share * len(weights):
        raise InputError(
            f"weights flat in mass and pT leave {len(weights)} jets the statistical power of {effective:.0f}, less "
            f"than the share of {settings.effective_share:g} that weights.effective_share asks for"
        )
    return FlatWeights(
        weights, effective, int(capped.sum()), _deviation(weights, of_mass, of_pt), _correlated(mass, pt, weights)
    )


def _bins(values: np.ndarray, window: tuple[float, float], bins: int, name: str) -> np.ndarray:
    edges = np.linspace(*window, bins + 1)
    numbers = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    empty = np.flatnonzero(np.bincount(numbers, minlength=bins) == 0)
    if len(empty):
        low, high = edges[empty[0]], edges[empty[0] + 1]
        raise InputError(
            f"no jet among {len(values)} with a {name} of {low:g} to {high:g} GeV, which no weight makes flat"
        )
    return numbers


def _product(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return factors f, g with f_i sum_j counts_ij g_j and g_j sum_i counts_ij f_i independent of i and of j."""
    n_mass, n_pt = counts.shape
    g = np.ones(n_pt)
    for _ in range(_ITERATIONS):
        f = 1 / (n_mass * (counts @ g))
        of_pt = g * (f @ counts)
        if np.abs(n_pt * of_pt - 1).max() < _TOLERANCE:
            return f, g
        g = 1 / (n_pt * (f @ counts))
    raise InputError("no weights make both mass and pT flat: too few jets in too many bins")


def _deviation(weights: np.ndarray, *numbers: np.ndarray) -> float:
    spectra = [np.bincount(of_value, weights) for of_value in numbers]
    return float(max(np.abs(spectrum / spectrum.mean() - 1).max() for spectrum in spectra))


def _correlated(mass: np.ndarray, pt: np.ndarray, weights: np.ndarray) -> float:
    (of_mass, both), (_, of_pt) = np.cov(np.stack([mass, pt]).astype(np.float64), aweights=weights)
    return float(both / np.sqrt(of_mass * of_pt)) if of_mass > 0 and of_pt > 0 else 0.0
