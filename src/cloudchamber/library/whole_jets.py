"""Metrics of jets as whole clouds, and the table of all metrics."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.library.checks import finite, mapping, whole_number
from cloudchamber.library.jets import as_jets, jet_observables
from cloudchamber.library.measurement import Measurement
from cloudchamber.library.sides import say_dependent, say_unlike_floor
from cloudchamber.metrics import memorisation as copies
from cloudchamber.metrics.coverage import coverage_and_mmd, sizes_of_batches
from cloudchamber.metrics.energy_mover import energy_movers_distances
from cloudchamber.metrics.memorisation import MOST_HELD_OUT
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.unlike import jet_columns
from cloudchamber.preparation.splits import halved
from cloudchamber.settings.base import parse
from cloudchamber.settings.metrics import MetricSettings

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare", "coverage", "duplicates", "energy_mover", "memorisation", "mmd"]

_DEFAULTS = MetricSettings()


def energy_mover(first: Any, second: Any, radius: float = 1.0) -> np.ndarray:
    """Return the (N, M) energy mover's distances of each jet of ``first`` to each of ``second`` (arXiv 1902.02346).

    The unit is that of pt_rel, the jet pT. Momenta are not normalised; distances in the plane are plain ones.

    Args:
        first: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets.
        second: (M, P, 3), as the first.
        radius: R of the definition.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, or the radius is not positive.

    Example:
        >>> one, other = np.array([[[0.0, 0.0, 1.0]]]), np.array([[[0.3, 0.4, 1.0]], [[0.0, 0.0, 0.8]]])
        >>> energy_mover(one, other).round(3)
        array([[0.5, 0.2]])
    """
    scale = finite(radius, "radius", above=0)
    return energy_movers_distances(as_jets(first, "first"), as_jets(second, "second"), scale)


def coverage(
    truth: Any,
    generated: Any,
    floor: Any = None,
    *,
    jets: int = _DEFAULTS.energy_mover_jets,
    batches: int = _DEFAULTS.energy_mover_batches,
    seed: int = 1,
) -> Measurement:
    """Return which share of true jets is the nearest true jet of some generated jet (arXiv 2106.11535).

    Distances are those of :func:`energy_mover`. A perfect model does not reach one: read it beside its floor.

    Args:
        truth, generated, floor: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets.
            Of the floor, independent truth, as many are used as there are generated ones.
        jets: true and generated jets of a batch; fewer where the smallest sample has not so many for each batch.
        batches: number of batches, no two of which share a jet.
        seed: of the batches.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, or fewer than two batches are asked
            for or can be made.
    """
    return _matched(truth, generated, floor, jets, batches, seed)[0]


def mmd(
    truth: Any,
    generated: Any,
    floor: Any = None,
    *,
    jets: int = _DEFAULTS.energy_mover_jets,
    batches: int = _DEFAULTS.energy_mover_batches,
    seed: int = 1,
) -> Measurement:
    """Return the minimum matching distance: the mean distance of true jets to the nearest generated one.

    Args:
        truth, generated, floor, jets, batches, seed: as of :func:`coverage`, as are the errors.
    """
    return _matched(truth, generated, floor, jets, batches, seed)[1]


def _matched(
    truth: Any, generated: Any, floor: Any, jets: int, batches: int, seed: int
) -> tuple[Measurement, Measurement]:
    asked, repeated = whole_number(jets, "jets", 2), whole_number(batches, "batches", 2)
    true, judged = as_jets(truth, "truth"), as_jets(generated, "generated")
    size, repeated = sizes_of_batches(asked, repeated, min(len(true), len(judged)))
    rng = seeds.generator(seed, "batches")
    values = coverage_and_mmd(true, judged, rng, size, repeated)
    floors = (Estimate(np.nan, np.nan), Estimate(np.nan, np.nan))
    say_dependent([true, judged])
    if floor is not None:
        others = as_jets(floor, "floor")
        if len(others) < size * repeated:
            raise InputError(f"floor: {len(others)} jets, {repeated} batches take {size * repeated}")
        say_dependent([true, others], ("truth", "floor"))
        say_unlike_floor([jet_columns(jets) for jets in (true, judged, others[: len(judged)])])
        floors = coverage_and_mmd(true, others[: len(judged)], rng, size, repeated)
    one, other = (
        Measurement(*value, *of_truth, size * repeated, size * repeated)
        for value, of_truth in zip(values, floors, strict=True)
    )
    return one, other


def memorisation(train: Any, test: Any, generated: Any) -> Measurement:
    """Return how much likelier than by chance the nearest neighbour of a generated jet is a training jet.

    It is zero on average for a model that copies nothing, and the share of copies for one that copies some.

    Args:
        train: (N, P, 3) jets that the model was trained on, as of :func:`coverage`.
        test: true jets that it was not trained on: one half is held out, the other gives the floor.
        generated: the jets to judge.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, or there is one test jet only.
    """
    return _copies(train, test, generated)["memorisation"]


def duplicates(train: Any, test: Any, generated: Any) -> Measurement:
    """Return the share of generated jets that equal a training jet within 1e-4 of its length.

    Args:
        train, test, generated: as of :func:`memorisation`, as are the errors.
    """
    return _copies(train, test, generated)["duplicates"]


def _copies(train: Any, test: Any, generated: Any) -> dict[str, Measurement]:
    known, true, judged = (
        as_jets(jets, name)
        for jets, name in ((train, "train"), (test, "test"), (generated, "generated"))
    )  # fmt: skip
    say_dependent([true, known, judged], ("test", "train", "generated"))
    found = copies.memorisation(known, true, judged)
    held_out = min(len(halved(true)[0]), MOST_HELD_OUT)
    return {name: Measurement(*value, *floor, held_out, len(judged)) for name, (value, floor) in found.items()}


def compare(
    truth: Any,
    generated: Any,
    train: Any,
    *,
    settings: Mapping[str, Any] | None = None,
    seed: int = 1,
) -> "pd.DataFrame":
    """Return the table of all metrics that train nothing, as ``cloudchamber compare`` writes it.

    Args:
        truth: (N, P, 3) jets, as of :func:`coverage`: the reference. Masses and transverse momenta are in GeV where all
            three samples are clouds with the feature jet_pt [GeV], and in units of the jet pT where none has it.
        generated: M of them.
        train: independent true jets, M at least: the first M give the floor, and copies are looked for among all.
        settings: bins, bootstraps, energy_mover_jets, energy_mover_batches (docs/settings).
        seed: of resamplings and batches.

    Returns:
        A row for each metric and feature: metric, feature, value, uncertainty, floor, floor_uncertainty, n_reference,
        n_generated (docs/metrics.md).

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, a sample is too small, or some have
            a jet_pt and others have none.
        SettingsError: a setting is unknown or wrong.
    """
    import pandas as pd

    from cloudchamber.metrics.cloud_comparison import compare_clouds
    from cloudchamber.metrics.comparison import compare as compare_observables

    chosen = parse(MetricSettings, mapping(settings, "settings"), "settings")
    given = {"truth": truth, "generated": generated, "train": train}
    sides = {name: as_jets(jets, name) for name, jets in given.items()}
    without = [name for name, jets in sides.items() if not _has_pt(jets)]
    if 0 < len(without) < len(sides):
        raise InputError(f"{' and '.join(without)}: no feature jet_pt, by which the masses of the others are in GeV")
    say_dependent(list(sides.values()), list(sides))
    true, judged, known = (_with_pt(jets) for jets in sides.values())
    observed = [jet_observables(jets) for jets in (true, judged, known)]
    of_features = compare_observables(
        true, observed[0], judged, observed[1], known, observed[2], chosen, seeds.generator(seed, "bootstrap")
    )
    of_clouds = compare_clouds(true, known, judged, chosen, seeds.generator(seed, "batches"))
    return pd.concat([of_features, of_clouds], ignore_index=True)


def _has_pt(jets: Clouds) -> bool:
    return any(column.name == "jet_pt" for column in jets.feature_columns)


def _with_pt(jets: Clouds) -> Clouds:
    if _has_pt(jets):
        return jets
    unit = np.ones((len(jets), 1), np.float32)
    return replace(jets, features=unit, feature_columns=(Column("jet_pt"),))
