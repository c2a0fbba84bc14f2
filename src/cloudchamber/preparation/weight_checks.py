"""Whether the event weights of files mean the same, and stand for the cross sections that the files state."""

from collections.abc import Mapping
from pathlib import Path

from cloudchamber.errors import InputError
from cloudchamber.preparation.stored_weights import CROSS_SECTION, ENOUGH_EVENTS, SAME_PROCESS, StoredWeights
from cloudchamber.settings.ingestion import IngestionSettings

__all__ = ["check_alike", "check_counted"]

# Of the same slice, estimated by several runs of a generator.
_SAME_SLICE = 1.1


def check_counted(stored: Mapping[Path, StoredWeights]) -> None:
    """Check that all files say how many events were generated, or none: those that do not may be skims as well.

    Raises:
        InputError: some do; the message names a file of each kind.
    """
    counted = [path for path, found in stored.items() if found.counted]
    others = [path for path in stored if path not in counted]
    if counted and others:
        raise InputError(
            f"{others[0]}: its tree Runs does not count the events that were generated, that of {counted[0]} does: a "
            "cross section is of all of them, and the file may be a skim"
        )


def check_alike(stored: Mapping[Path, StoredWeights], settings: IngestionSettings) -> str:
    """Check that the weights of the files of one slice, or of a data set without slices, are of one kind.

    Returns:
        What speaks against it where nobody can tell: cross sections where the files may be of several classes, which
        are compared and never added up, or weights of files that state no cross section; else nothing.

    Raises:
        InputError: some files have weights and others none, or zeros alone; or files of one slice state cross sections
            that their weights do not stand for.
    """
    with_ = {path: found for path, found in stored.items() if found.there}
    without = [path for path in stored if path not in with_]
    other = [path for path, found in with_.items() if (found.low, found.high) != (1.0, 1.0)]
    if without and other:
        raise InputError(
            f"{other[0]} has event weights ('{settings.weight_branch}'), {without[0]} has none: "
            "give each a key of cross_sections, or leave weights unread (weight_branch: null)"
        )
    # As programs write it that know of no weights: beside others such events would count for nothing.
    zero = [path for path, found in with_.items() if found.low == found.high == 0.0]
    weighing = [path for path in stored if path not in zero]
    if zero and weighing:
        raise InputError(
            f"{zero[0]}: all event weights ('{settings.weight_branch}') are zero, those of {weighing[0]} are not: "
            "leave the file out, or weights unread (weight_branch: null)"
        )
    if settings.cross_sections == "ignore":
        return ""
    if not settings.cross_sections and (unsaid := _weights_of_files(with_)):
        return unsaid
    known = {path: found for path, found in stored.items() if found.cross_section > 0 and found.events >= ENOUGH_EVENTS}
    # Each file has a weight of its own, which holds its cross section.
    own = all(found.low == found.high for found in with_.values()) and len({found.low for found in with_.values()}) > 1
    unlike = _unlike_sums(known) if own else _unlike_sections(known)
    if unlike and settings.label_branch is None:
        raise InputError(
            f"{unlike}: give each slice its cross section, or take events as they are (cross_sections: ignore)"
        )
    return unlike


def _weights_of_files(stored: Mapping[Path, StoredWeights]) -> str:
    """Return that files have a weight of their own each, signs aside, and no cross section says why, or nothing.

    They may be slices, as samples of NanoAOD whose weights are their cross sections: one with more events would count
    more. Or the weights are right, as a cross section over a number of events.
    """
    sizes = {path: max(abs(found.low), abs(found.high)) for path, found in stored.items()}
    own = all(found.smallest == sizes[path] for path, found in stored.items())
    if not own or not sizes or any(found.cross_section > 0 for found in stored.values()):
        return ""
    low, high = (choose(sizes, key=lambda path: sizes[path]) for choose in (min, max))
    if sizes[high] <= _SAME_SLICE * sizes[low]:
        return ""
    return (
        f"all event weights are {sizes[low]:g} in {low} and {sizes[high]:g} in {high}, signs aside, and no cross "
        "section is stated"
    )


def _unlike_sections(known: Mapping[Path, StoredWeights]) -> str:
    """Return how far apart cross sections are, as they are and per event, or nothing."""
    for number in ("stated", "per event"):
        values = {
            path: found.cross_section / (found.events if number == "per event" else 1) for path, found in known.items()
        }
        if not values or max(values.values()) <= SAME_PROCESS * min(values.values()):
            return ""
    low, high = (choose(known, key=lambda path: known[path].cross_section) for choose in (min, max))
    return f"'{CROSS_SECTION}' is {known[low].cross_section:g} pb in {low}, {known[high].cross_section:g} pb in {high}"


def _unlike_sums(known: Mapping[Path, StoredWeights]) -> str:
    """Return nothing where the weights of the files of each slice add up to its cross section, or a multiple of it."""
    slices: list[list[Path]] = []
    for path in sorted(known, key=lambda path: known[path].cross_section):
        if slices and known[path].cross_section <= _SAME_SLICE * known[slices[-1][-1]].cross_section:
            slices[-1].append(path)
        else:
            slices.append([path])
    # Which files are of one slice nobody says: their cross sections agree as far as a generator estimates them. So do
    # sums of weights with them: three runs of the one slice and two of the other make it half as large again.
    sums = [sum(known[path].total for path in paths) for paths in slices]
    per_pb = [total / known[paths[0]].cross_section for total, paths in zip(sums, slices, strict=True)]
    if not per_pb or max(per_pb) <= _SAME_SLICE * min(per_pb):
        return ""
    first, second = (
        f"{sums[place]:g} in files of {known[slices[place][0]].cross_section:g} pb, as {slices[place][0]}"
        for place in (per_pb.index(min(per_pb)), per_pb.index(max(per_pb)))
    )
    return f"event weights add up to {first}, and to {second}: not alike to '{CROSS_SECTION}'"
