"""Rows of the table of metrics: what one method gets right in one sample."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import comb
from typing import Any, final

import numpy as np

from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import mean_share, of_area
from cloudchamber.metrics.tables import METRIC_COLUMNS
from cloudchamber.studies.assignment.assignment_file import Assignments
from cloudchamber.studies.assignment.calibration import calibration_error, floor_of_calibration_error, separation
from cloudchamber.studies.assignment.efficiencies import (
    Share,
    correct_particles,
    event_efficiency,
    event_purity,
    particle_efficiency,
)
from cloudchamber.studies.assignment.event_file import Events
from cloudchamber.studies.assignment.masses import top_pair_masses, top_transverse_momenta
from cloudchamber.studies.assignment.methods import BINS, CHI_SQUARES
from cloudchamber.studies.assignment.settings import EvaluationSettings
from cloudchamber.studies.assignment.topology import ALL_HADRONIC_TOP_PAIR as TOPOLOGY

__all__ = ["COLUMNS", "Judged", "in_bins", "judge", "metric_rows", "sample_rows", "window_row"]

# Behind the columns of all studies.
COLUMNS = (*METRIC_COLUMNS, "ceiling", "trained_on", "n_training", "low", "high")
_B_JETS = (0, 3)


@final
@dataclass(frozen=True)
class Judged:
    """One method on its events of one sample.

    Attributes:
        made: the assignments.
        events: the events, row by row those of ``made``.
        correct, found: (n, 2) bool, which true tops are right and which are identifiable.
    """

    made: Assignments
    events: Events
    correct: np.ndarray
    found: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """(n,) bool, whether both tops are identifiable."""
        return np.asarray(self.found.all(axis=1))

    @property
    def right(self) -> np.ndarray:
        """(n,) bool, whether both tops are right."""
        return np.asarray(self.correct.all(axis=1))

    @property
    def probability(self) -> np.ndarray:
        """(n,) of the assignment of both tops."""
        return np.asarray(np.exp(np.minimum(self.made.log_probability.sum(axis=1), 0.0)))

    @property
    def can_be_right(self) -> np.ndarray:
        """(n,) bool: whether the right assignment is among those that the method compares."""
        method = CHI_SQUARES.get(self.made.method)
        if method is None or not method.b_tags:
            return np.ones(len(self.events), bool)
        tags = self.events.jets[:, :, 4] > 0.5
        b_jets = self.events.targets[:, list(_B_JETS)]
        return np.asarray((np.take_along_axis(tags, np.maximum(b_jets, 0), axis=1) & (b_jets >= 0)).all(axis=1))


def judge(made: Assignments, events: Events) -> Judged:
    """Compare assignments with the truth of a whole sample."""
    own = events[made.rows]
    return Judged(made, own, correct_particles(made.jets, own.targets, TOPOLOGY), own.found(TOPOLOGY))


def in_bins(events: Events) -> dict[str, np.ndarray]:
    """Return the mask of the events of each bin in the number of all stored jets."""
    n = events.n_jets
    return {name: (n >= low) & (n <= high) for name, (low, high) in BINS.items()}


def sample_rows(dataset: str, events: Events) -> Iterator[dict[str, Any]]:
    """Yield how often the jets of both tops, of exactly one and of none are there at all: the ceiling of any method."""
    found = events.found(TOPOLOGY).sum(axis=1)
    for name, chosen in in_bins(events).items():
        for number, metric in enumerate(("identifiable_none", "identifiable_one", "identifiable_both")):
            values = found[chosen] == number
            n = len(values)
            if n:
                share = mean_share(values)
                row = {"value": share.value, "uncertainty": share.uncertainty, "n_reference": n}
                yield _row(dataset, "truth", metric, name) | row


def metric_rows(dataset: str, judged: Judged, settings: EvaluationSettings, rng: np.random.Generator) -> list[Any]:
    """Return the rows of one method: of a point of the learning curve its event efficiency alone."""
    efficiencies = list(_efficiencies(dataset, judged))
    curve = [row | {"metric": "learning_curve"} for row in efficiencies if row["metric"] == "event_efficiency"]
    if judged.made.training_events is not None:
        return curve
    rows = [*efficiencies, *_against_top_pt(dataset, judged, settings)]
    if judged.made.is_trained:
        rows += [*curve, *_probabilities(dataset, judged, settings, rng)]
    return rows


def _efficiencies(dataset: str, judged: Judged) -> Iterator[dict[str, Any]]:
    event_guess, top_guess = _guesses(judged.events.n_jets)
    complete = judged.complete
    possible = judged.can_be_right
    for name, chosen in in_bins(judged.events).items():
        correct, found = judged.correct[chosen], judged.found[chosen]
        both, one = complete[chosen], found.sum(axis=1) == 1
        measured = {
            "event_efficiency": (event_efficiency(correct, found), event_guess[chosen][both], possible[chosen][both]),
            "eps_2_top": (particle_efficiency(correct, found, 2), top_guess[chosen][both], None),
            "eps_1_top": (particle_efficiency(correct, found, 1), top_guess[chosen][one], None),
            "event_purity": (event_purity(correct, found), event_guess[chosen] * both, possible[chosen] & both),
        }
        for metric, (share, guess, ceiling) in measured.items():
            if share.n:
                row = _share_row(share) | {"floor": float(guess.mean())}
                row["ceiling"] = "" if ceiling is None else float(ceiling.mean())
                yield _of_method(dataset, judged.made, metric, name) | row


def _guesses(n_jets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (n,) the probability that a random assignment is right, and that it has one particular top."""
    table = {n: (2 / (9 * comb(n, 3) * comb(n - 3, 3)), 2 / (3 * comb(n, 3))) for n in range(6, 1 + n_jets.max())}
    values = np.array([table.get(int(n), (0.0, 0.0)) for n in n_jets])
    return values[:, 0], values[:, 1]


def _against_top_pt(dataset: str, judged: Judged, settings: EvaluationSettings) -> Iterator[dict[str, Any]]:
    """Yield the share of right tops against the pT of the sum of their true jets, in events with both identifiable."""
    complete = judged.complete
    pt = top_transverse_momenta(judged.events, judged.events.targets)[complete].ravel()
    right = judged.correct[complete].ravel()
    for low, high in pairwise(settings.top_pt_edges):
        inside = right[(pt >= low) & (pt < high)]
        if len(inside):
            share = mean_share(inside)
            row: dict[str, Any] = {"value": share.value, "uncertainty": share.uncertainty}
            row |= {"n_reference": len(inside), "low": low, "high": high}
            yield _of_method(dataset, judged.made, "top_efficiency_in_bins", "top_pt") | row


def _probabilities(
    dataset: str, judged: Judged, settings: EvaluationSettings, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    complete = judged.complete
    probability, right = judged.probability[complete], judged.right[complete]
    if len(right):
        value = calibration_error(probability, right, settings.calibration_bins)
        floor, spread = floor_of_calibration_error(probability, settings.calibration_bins, rng)
        row = {"value": value, "uncertainty": spread, "floor": floor, "floor_uncertainty": spread}
        yield _of_method(dataset, judged.made, "calibration_error", "all") | row | {"n_reference": len(right)}
    seen = judged.made.detection.prod(axis=1)
    area = separation(seen, complete)
    if np.isfinite(area) and np.ptp(seen) > 0:
        n, m = int(complete.sum()), int((~complete).sum())
        # The error of Hanley and McNeil (1982).
        q_1, q_2 = area / (2 - area), 2 * area**2 / (1 + area)
        error = np.sqrt((area * (1 - area) + (n - 1) * (q_1 - area**2) + (m - 1) * (q_2 - area**2)) / (n * m))
        found = of_area(Estimate(area, float(error)), n, m)
        row = {"value": area, "uncertainty": found.uncertainty, "floor": 0.5, "ceiling": 1.0, "n_reference": n + m}
        yield _of_method(dataset, judged.made, "detection_auc", "both tops") | row


def window_row(
    dataset: str, made: Assignments, events: Events, settings: EvaluationSettings, rng: np.random.Generator
) -> dict[str, Any]:
    """Return which share of the tops of a sample without any has a mass in the window; the floor is a random choice.

    A top that a method does not give, as without two b-tags, has none.
    """
    low, high = settings.signal_window

    def inside(jets: np.ndarray) -> np.ndarray:
        _, tops = top_pair_masses(events, jets)
        return np.asarray((tops > low) & (tops < high)).mean(axis=1)

    chosen = inside(made.jets)
    order = np.argsort(np.where(events.mask, rng.random(events.mask.shape), 2.0), axis=1)
    # Of fewer jets nothing is an assignment.
    enough = np.flatnonzero(events.n_jets >= TOPOLOGY.jets)
    drawn = np.full((len(events), TOPOLOGY.jets), -1)
    if len(enough):
        drawn[enough] = order[enough, : TOPOLOGY.jets]
    guess = inside(drawn)
    found, floor = mean_share(chosen), mean_share(guess)
    row: dict[str, Any] = {"value": found.value, "uncertainty": found.uncertainty, "n_reference": len(chosen)}
    row |= {
        "floor": floor.value,
        "floor_uncertainty": floor.uncertainty,
        "low": low,
        "high": high,
    }
    return _of_method(dataset, made, "background_in_window", "top_mass") | row


def _share_row(share: Share) -> dict[str, Any]:
    return {"value": share.value, "uncertainty": share.uncertainty, "n_reference": share.n}


def _of_method(dataset: str, made: Assignments, metric: str, feature: str) -> dict[str, Any]:
    row = _row(dataset, made.method, metric, feature)
    if not made.is_trained:
        return row
    return row | {"seed": made.seed, "trained_on": made.trained_on, "n_training": made.complete_events}


def _row(dataset: str, model: str, metric: str, feature: str) -> dict[str, Any]:
    known = {"study": "assignment", "dataset": dataset, "model": model, "metric": metric, "feature": feature}
    return dict.fromkeys(COLUMNS, "") | known
