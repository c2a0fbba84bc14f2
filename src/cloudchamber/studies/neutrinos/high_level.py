"""High-level features of events and prongs: what an analysis without networks would use."""

from collections.abc import Mapping

import numpy as np

from cloudchamber.studies.neutrinos.event_clouds import EventClouds

__all__ = ["EVENT_FEATURES", "PRONG_FEATURES", "event_features", "muon_length", "prong_features", "shower_energy"]

# Name -> unit.
PRONG_FEATURES: Mapping[str, str] = {
    "hits": "1",
    "energy": "mip",
    "planes": "1",
    "energy_per_hit": "mip",
    "largest_hit": "mip",
    "hits_per_plane": "1",
    "width": "cells",
    "first_plane": "1",
    "late_energy": "1",
}
EVENT_FEATURES: Mapping[str, str] = {
    "muon_length": "planes",
    "shower_energy": "mip",
    "hits": "1",
    "energy": "mip",
    "prongs": "1",
    "longest_energy_per_hit": "mip",
    "longest_width": "cells",
    "longest_late_energy": "1",
    "brightest_share": "1",
    "brightest_energy_per_hit": "mip",
    "brightest_width": "cells",
    "width": "cells",
    "largest_hit": "mip",
    "early_energy": "1",
}
# Planes behind the vertex in which a shower of an electron leaves most of its energy.
_EARLY = 12


def prong_features(events: EventClouds) -> np.ndarray:
    """Return the (N, P, F) features of all prongs, in the order of ``PRONG_FEATURES``; zero where there is no prong.

    ``width`` is the root mean square distance of the hits, weighted with energy, from the mean cell of their plane and
    view; ``late_energy`` the share of the energy in the second half of the planes.
    """
    n, p = events.prong_mask.shape
    owner = np.repeat(np.arange(len(events)), events.counts)
    view, plane, cell, energy, prong = events.points.T.astype(np.float64)
    chosen = prong >= 0
    key = (owner * p + prong.astype(np.int64))[chosen]
    return _features(key, n * p, view[chosen], plane[chosen], cell[chosen], energy[chosen]).reshape(n, p, -1)


def _features(
    key: np.ndarray, groups: int, view: np.ndarray, plane: np.ndarray, cell: np.ndarray, energy: np.ndarray
) -> np.ndarray:
    hits = np.bincount(key, minlength=groups).astype(np.float64)
    total = np.bincount(key, energy, minlength=groups)
    first, last, largest = np.full(groups, np.inf), np.full(groups, -np.inf), np.zeros(groups)
    np.minimum.at(first, key, plane)
    np.maximum.at(last, key, plane)
    np.maximum.at(largest, key, energy)
    there = hits > 0
    first, last = np.where(there, first, 0.0), np.where(there, last, -1.0)
    planes = last - first + 1
    late = np.bincount(key, energy * (plane > 0.5 * (first + last)[key]), minlength=groups)
    safe_hits, safe_total, safe_planes = (np.maximum(values, 1e-9) for values in (hits, total, planes))
    # Mean cell in each plane and view of a group.
    place = (key * 2 + view.astype(np.int64)) * (int(plane.max(initial=0)) + 1) + plane.astype(np.int64)
    cells, inverse = np.unique(place, return_inverse=True)
    weight = np.bincount(inverse, energy, minlength=len(cells))
    mean = np.bincount(inverse, energy * cell, minlength=len(cells)) / np.maximum(weight, 1e-9)
    spread = np.bincount(key, energy * (cell - mean[inverse]) ** 2, minlength=groups) / safe_total
    found = np.column_stack(
        [
            hits,
            total,
            planes,
            total / safe_hits,
            largest,
            hits / safe_planes,
            np.sqrt(spread),
            first,
            late / safe_total,
        ]
    )
    return np.where(there[:, None], found, 0.0)


def event_features(events: EventClouds) -> np.ndarray:
    """Return the (N, F) features of events, in the order of ``EVENT_FEATURES``.

    The longest prong stands for the muon: its planes are the muon length, and the energy of all other hits is the
    shower energy. Nothing here uses the true class of a prong.
    """
    n = len(events)
    prongs = prong_features(events)
    names = list(PRONG_FEATURES)
    owner = np.repeat(np.arange(n), events.counts)
    view, plane, cell, energy, _ = events.points.T.astype(np.float64)
    whole = dict(zip(names, _features(owner, n, view, plane, cell, energy).T, strict=True))
    of_prong = {name: prongs[..., number] for number, name in enumerate(names)}
    rows = np.arange(n)
    longest = of_prong["planes"].argmax(axis=1)
    brightest = of_prong["energy"].argmax(axis=1)
    early = np.bincount(owner, energy * (plane < events.window.upstream + _EARLY), minlength=n)
    total = np.maximum(whole["energy"], 1e-9)
    return np.column_stack(
        [
            of_prong["planes"][rows, longest],
            np.maximum(whole["energy"] - of_prong["energy"][rows, longest], 0.0),
            whole["hits"],
            whole["energy"],
            events.prong_mask.sum(axis=1),
            of_prong["energy_per_hit"][rows, longest],
            of_prong["width"][rows, longest],
            of_prong["late_energy"][rows, longest],
            of_prong["energy"][rows, brightest] / total,
            of_prong["energy_per_hit"][rows, brightest],
            of_prong["width"][rows, brightest],
            whole["width"],
            whole["largest_hit"],
            early / total,
        ]
    )


def muon_length(features: np.ndarray) -> np.ndarray:
    """Return the (N,) length of the longest prong [planes]."""
    return features[:, list(EVENT_FEATURES).index("muon_length")]


def shower_energy(features: np.ndarray) -> np.ndarray:
    """Return the (N,) energy of all hits but those of the longest prong [minimum ionising particles]."""
    return features[:, list(EVENT_FEATURES).index("shower_energy")]
