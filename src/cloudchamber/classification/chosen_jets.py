"""Which jets of a class taggers are trained and tested with: those within the windows, as many as are asked for."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.splits import event_labels
from cloudchamber.preparation.unweighting import described, in_words, undecided, unweight
from cloudchamber.settings.tagging_sample import JetClassSettings, TaggingJetsSettings

__all__ = ["WINDOWED", "chosen_jets", "say_cut_weights", "windows_or_ranges"]

# What windows are of.
WINDOWED = ("jet_pt", "jet_mass", "jet_eta")


def chosen_jets(
    clouds: Clouds, item: JetClassSettings, settings: TaggingJetsSettings, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the rows of the jets of one class, and what became of the others, of which the log has a line.

    Args:
        clouds: those of the file of the class.
        item: the class.
        settings: windows, event weights and the largest number of jets.
        seed: of the draw among more jets than are asked for, and of unweighting.

    Raises:
        InputError: no jet is of the class or within the windows; particles are not by falling pT; jets have event
            weights and the settings do not say what becomes of them, or some are negative.
    """
    of_class = np.ones(len(clouds), bool) if item.label is None else clouds.label(settings.label_column) == item.label
    if not of_class.any():
        raise InputError(f"no jet with '{settings.label_column}' = {item.label}")
    filled = _with_momentum(clouds)
    accepted = np.flatnonzero(of_class & filled & _within(clouds, settings))
    if not len(accepted):
        raise InputError(f"none of its {int(of_class.sum())} jets is within the windows in pT, mass and eta")
    drawn, drawing = _unweighted(clouds, accepted, item.name, settings, seed)
    if settings.jets_per_class is not None and len(drawn) > settings.jets_per_class:
        rng = seeds.generator(seed, "tagging", "draw", item.name)
        drawn = np.sort(rng.permutation(drawn)[: settings.jets_per_class])
    _refuse_other_order(_momenta(clouds)[drawn], clouds.mask[drawn])
    known = {
        "name": item.name,
        "title": item.title,
        "of_class": int(of_class.sum()),
        "without_particles": int((of_class & ~filled).sum()),
        "accepted": len(accepted),
        "jets": len(drawn),
        "truncated": int((clouds.multiplicity[drawn] > settings.max_particles).sum()),
    }
    known |= drawing
    _report(known, settings)
    return drawn, known


def say_cut_weights(known: Mapping[str, Any], settings: TaggingJetsSettings) -> None:
    """Say that flat weights of a class were cut, so that its spectra are not flat, nor its event weights in proportion.

    Args:
        known: of the class: "name", "jets", and of flat weights "capped" and "deviation".
        settings: the largest weight.
    """
    if known.get("capped"):
        sys.stderr.write(
            f"combine-classes: WARNING: class '{known['name']}': {known['capped']} of {known['jets']} weights are cut "
            f"to {settings.weights.cap:g} times the mean (sample.weights.cap): its spectra are off from flat by up to "
            f"{known['deviation']:.2g}\n"
        )


def _with_momentum(clouds: Clouds) -> np.ndarray:
    """Return (N,) bool, whether the particles of a jet have a transverse momentum. Nothing can be in units of none."""
    some: np.ndarray = np.any(_momenta(clouds) > 0, axis=1)
    return some & (clouds.feature("jet_pt") > 0)


def _refuse_other_order(momenta: np.ndarray, mask: np.ndarray) -> None:
    """Refuse jets whose (N, P) momenta do not fall: the first are taken for the hardest, here and by taggers."""
    rising = ((np.diff(momenta, axis=1) > 0) & mask[:, 1:]).any(axis=1)
    if rising.any():
        raise InputError(f"the particles of {int(rising.sum())} of {len(mask)} jets are not sorted by falling pT")


def _momenta(clouds: Clouds) -> np.ndarray:
    """Return the (N, P) transverse momenta of the particles, whatever their unit."""
    return clouds.point("pt_rel" if any(column.name == "pt_rel" for column in clouds.point_columns) else "pt")


def windows_or_ranges(settings: TaggingJetsSettings, values: np.ndarray) -> dict[str, tuple[float, float]]:
    """Return the windows, in place of one that is not set the range of the (3, N) values."""
    ranges = zip(values.min(axis=1).tolist(), values.max(axis=1).tolist(), strict=True)
    return {
        name: found if window is None else window
        for (name, window), found in zip(_windows(settings).items(), ranges, strict=True)
    }


def _within(clouds: Clouds, settings: TaggingJetsSettings) -> np.ndarray:
    """Return (N,) bool, which jets are within the windows."""
    chosen = np.ones(len(clouds), bool)
    for name, window in _windows(settings).items():
        if window is not None:
            values = clouds.feature(name)
            chosen &= (values >= window[0]) & (values <= window[1])
    return chosen


def _unweighted(
    clouds: Clouds, accepted: np.ndarray, name: str, settings: TaggingJetsSettings, seed: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Return which accepted jets of a class are taken by their event weights, and what is to be known of that."""
    if clouds.event_weight is None:
        return accepted, {}
    weights = clouds.event_weight[accepted]
    if settings.event_weights == "refuse":
        raise undecided(weights)
    if settings.event_weights == "keep":
        if (weights < 0).any():
            raise InputError(f"{int((weights < 0).sum())} of {len(weights)} jets have negative event weights")
        if not weights.any():
            raise InputError(f"the event weights of all {len(weights)} jets are zero")
        return accepted[weights > 0], {"weightless": int((weights == 0).sum())}
    rng = seeds.generator(seed, "tagging", "unweight", name)
    rows = unweight(weights, event_labels(clouds)[accepted], rng)
    return accepted[rows], {"unweighting": described(weights, rows)}


def _report(known: Mapping[str, Any], settings: TaggingJetsSettings) -> None:
    line = f"class '{known['name']}': {known['of_class']} jets"
    if known["without_particles"]:
        line += f", {known['without_particles']} without particles"
    line += f", {known['accepted']} accepted, "
    offered = known["accepted"] - known.get("weightless", 0)
    if offered < known["accepted"]:
        line += f"{known['weightless']} of these with the event weight zero, "
    if "unweighting" in known:
        offered = known["unweighting"]["accepted"]
        line += f"{in_words(known['unweighting'])}; "
    if known["jets"] < offered:
        line += f"{known['jets']} of these taken (sample.jets_per_class)"
    else:
        line += "all of these taken"
        if settings.jets_per_class is not None and known["jets"] < settings.jets_per_class:
            line += f", fewer than {settings.jets_per_class} (sample.jets_per_class)"
    if known["truncated"]:
        line += f", {known['truncated']} cut to their hardest {settings.max_particles} particles (sample.max_particles)"
    sys.stderr.write(f"combine-classes: {line}\n")


def _windows(settings: TaggingJetsSettings) -> dict[str, tuple[float, float] | None]:
    eta = None if settings.eta_max is None else (-settings.eta_max, settings.eta_max)
    return dict(zip(WINDOWED, (settings.pt_window, settings.mass_window, eta), strict=True))
