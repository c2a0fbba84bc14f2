"""Which true jets something was made from: the files, how their jets were chosen, and which part each is in.

A sample and the truth that it is compared with have to come from the same. The files that hold them say so: prepared
jets by their provenance, drawn jets and samples by what they were handed on. Hashes of the prepared files would say too
much, since the same jets may be prepared with and without their event weights.
"""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cloudchamber.errors import InputError
from cloudchamber.preparation.detectors import detectors_differ
from cloudchamber.storage import sha256

__all__ = [
    "ORIGIN",
    "origin_of",
    "origin_of_sample",
    "refuse_other_inputs",
    "refuse_other_origin",
    "say_other_choice",
    "say_other_training",
]

# Key of the meta data of drawn jets and of samples.
ORIGIN = "origin"
# What of the settings of an ingestion decides no jet.
_NO_CHOICE = ("step_size",)
# What of them decides which jets there are and what they are made of, in whatever files.
_OF_JETS = ("clouds", "max_particles")
# Of a sample that was asked for other jets than its model was trained on.
_MIXED: Mapping[str, Any] = {"files": [], "clouds": {}, "split": {}}


def origin_of(meta: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what the meta data of prepared jets say of their origin; None where they do not say it.

    Returns:
        "files", the sorted SHA-256 of what the clouds were made from; "clouds", the settings that made them; "split",
        what decides the part that a jet is in.
    """
    prepared, clouds = (_record(found) for found in (meta, meta.get("source")))
    if prepared is None or clouds is None:
        return None
    split = dict(prepared["settings"].get("split", {}))
    # Fractions are drawn by the seed, a file of indices is what is in it.
    indices = split.get("indices")
    split["indices"] = prepared["inputs"].get(str(Path(indices))) if indices else None
    split["seed"] = None if indices or split.get("order") == "stored" else prepared["seed"]
    chosen = {key: value for key, value in clouds["settings"].items() if key not in _NO_CHOICE}
    return {"files": sorted(clouds["inputs"].values()), "clouds": chosen, "split": split}


def refuse_other_origin(
    path: str | Path, meta: Mapping[str, Any], truth: str | Path, truth_meta: Mapping[str, Any], what: str
) -> bool:
    """Refuse a file that comes from others than certain prepared jets.

    Args:
        path: the file.
        meta: its meta data, which hold the origin of its jets.
        truth: the prepared jets.
        truth_meta: their meta data.
        what: what the file is, in words that follow its name.

    Returns:
        Whether both files say where they come from.

    Raises:
        InputError: they come from different files, their jets were chosen in different ways, or they were split
            differently, so that jets of the test part may have been trained on.
    """
    own, true = meta.get(ORIGIN), origin_of(truth_meta)
    if not isinstance(own, Mapping) or true is None:
        return False
    if own.get("files") != true["files"]:
        raise InputError(f"{path}: {what} jets of other files than those of {truth}")
    for key, how in (("clouds", "made with other settings"), ("split", "split otherwise")):
        difference = next(_differences(own.get(key), true[key]), None)
        if difference is not None:
            name, mine, other = difference
            raise InputError(f"{path}: {what} jets {how} than those of {truth}: {name} is {mine}, and not {other}")
    return True


def refuse_other_inputs(path: str | Path, meta: Mapping[str, Any], of: str | Path, other: Mapping[str, Any]) -> None:
    """Refuse two files that say what they were made from and have nothing of it in common.

    Args:
        path, of: the files.
        meta, other: their meta data or descriptions, with their provenance.

    Raises:
        InputError: such as of jets to generate that were drawn from other prepared jets than a model was trained on.
    """
    if _strangers(meta, other):
        raise InputError(f"{path}: was made from other jets than {of} (SHA-256 differs)")


def origin_of_sample(path: str | Path, meta: Mapping[str, Any], of: str | Path, other: Mapping[str, Any]) -> Any:
    """Return the origin of a sample: that of the jets that it was asked for, or one that is no truth's.

    Args:
        path: the jets.
        meta: their meta data.
        of: the model, or the jets of the baseline.
        other: its description, or their meta data.
    """
    if not _strangers(meta, other):
        return meta.get(ORIGIN)
    sys.stderr.write(
        f"{path}: was made from other jets than {of} (SHA-256 differs): the sample is compared with none\n"
    )
    return _MIXED


def say_other_choice(
    step: str, path: str | Path, meta: Mapping[str, Any], truth: str | Path, truth_meta: Mapping[str, Any]
) -> None:
    """Say how the jets of two files were made differently, as with pile-up and without, where no model drew them.

    That is by other settings, or of files of another card, pile-up or version of Delphes.

    Args:
        step: that says it.
        path, truth: the files, or names of the samples, both of ingested or prepared jets; of others nothing is said.
        meta, truth_meta: their meta data.
    """
    own, true = _choice(meta), _choice(truth_meta)
    for key in _OF_JETS:
        mine, its = own.get(key), true.get(key)
        # Layouts without such a key do not choose their jets by it.
        if mine is None or its is None:
            continue
        for name, value, other in _differences(mine, its, key):
            sys.stderr.write(
                f"{step}: WARNING: {path}: jets made with other settings than those of {truth}: {name} is {value}, "
                f"and not {other}\n"
            )
    found = detectors_differ(_of_clouds(meta), _of_clouds(truth_meta), str(truth))
    if found is not None:
        sys.stderr.write(f"{step}: WARNING: {path}: {found}\n")


def _of_clouds(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the meta data of the clouds that jets were prepared from, or those of clouds that were only ingested."""
    return meta if origin_of(meta) is None else dict(meta["source"])


def _choice(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the settings of the ingestion of prepared jets, of those that were only ingested, or of those that the
    model of a sample was trained on."""
    handed_on = meta.get(ORIGIN)
    prepared, record = handed_on if isinstance(handed_on, Mapping) else origin_of(meta), _record(meta)
    if prepared is not None:
        return dict(prepared["clouds"])
    return record["settings"] if record is not None and "clouds" in record["settings"] else {}


def say_other_training(
    step: str, description: Path, other: Mapping[str, Any], of: Path, what: str, source: Mapping[str, Any] | None = None
) -> None:
    """Say that a model was trained on another file than the one whose test part it is given.

    Args:
        step: that says it.
        description: of the model.
        other: what it says.
        of: the file that the model is given.
        what: what is in it.
        source: its meta data, where the model was trained on what it was made from.
    """
    known, made_from = ((_record(meta) or {"inputs": {}})["inputs"] for meta in (other, source))
    mine = {sha256(of)} if source is None else {*made_from.values()}
    if mine.isdisjoint(known.values()):
        sys.stderr.write(
            f"{step}: {description} was trained on other {what} than {of}: {what} of its test part may be among them\n"
        )


def _strangers(meta: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, its = _record(meta), _record(other)
    if mine is None or its is None:
        return False
    return set(mine["inputs"].values()).isdisjoint(its["inputs"].values())


def _record(meta: Any) -> Mapping[str, Any] | None:
    """Return the provenance in some meta data, where it is one."""
    found = meta.get("provenance") if isinstance(meta, Mapping) else None
    if not isinstance(found, Mapping) or "seed" not in found:
        return None
    return found if all(isinstance(found.get(key), Mapping) for key in ("settings", "inputs")) else None


def _differences(mine: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the dotted keys at which two settings differ, with both values."""
    if isinstance(mine, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys((*other, *mine)):
            yield from _differences(mine.get(key), other.get(key), f"{at}.{key}" if at else str(key))
    elif mine != other:
        yield at, mine, other
