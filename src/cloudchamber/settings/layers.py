"""The layers of a configuration: files of each study at the scale that is asked for, over them what the user says."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cloudchamber.errors import SettingsError
from cloudchamber.settings.base import merged, read_yaml, refuse_other_keys, without_nulls
from cloudchamber.settings.recipes import with_recipe

__all__ = ["layered"]

_DEFAULT = "default"
# What several studies may define: a name then means the same in all of them.
_NAMED = ("processes", "datasets")
_RESPONSE = "detector_response"
_SHARED = (*_NAMED, _RESPONSE)
# What says what stands behind a name: a user who says it means something else by the name.
_DEFINING: Mapping[str, tuple[str, ...]] = {
    "processes": ("kind", "commands"),
    "datasets": ("source",),
    "classes": ("dataset",),
}
# Keys of a process that decide no distribution: how many events, and how they are kept.
_NO_PHYSICS = {"title", "events", "shards", "particles"}
# What a study of taggers says of the jets of its classes.
_OF_CLASSES = ("title", "sample", "learning_curve")
# What a study says of a source of its own, and a user has one of another kind.
_OF_SOURCE = ("title", "ingestion")
# What a study of events says of these; another detector's background is none of a user's events.
_OF_EVENTS = ("title", "background", "parts", "learning_curve")


def layered(config: Mapping[str, Any], root: Path, known: Sequence[str]) -> dict[str, Any]:
    """Return the whole configuration of an analysis.

    For each study it is ``configs/STUDY/default.yaml``, over it ``configs/STUDY/SCALE.yaml``, over both
    ``config``. Then the recipe of the study is put into each of its models.
    A study is left out where it has no file of the scale, or where ``config`` sets it to null.

    What ``config`` does not say does not act on data of the user: a process with commands or a data set with a source
    takes nothing of one of the same name below, and where classes of a study name data sets, its other classes and what
    is said below of the jets of the classes do not count. So it is with what is said below of the events of a study
    whose events are the user's. A process whose physics ``config`` changes is not compared with real files that are
    named below.

    Args:
        config: content of config.yaml and its overlays: "scale", "studies" and any other key.
        root: folder of the project.
        known: names of all studies.

    Raises:
        SettingsError: a file is missing or wrong, no study has the scale, two define the same name differently, or a
            key is no text.
    """
    refuse_other_keys(config)
    # "--config tagging=null" hands over a word.
    config = {key: None if value == "null" else value for key, value in config.items()}
    scale = config.get("scale") or _DEFAULT
    asked = config.get("studies") or ()
    if not isinstance(scale, str) or not isinstance(asked, list | tuple):
        raise SettingsError(
            "configuration: expected a name as 'scale' and a list of names as 'studies', such as [gating]; on the"
            " command line --config studies='[gating]'"
        )
    unknown = [study for study in asked if study not in known]
    if unknown:
        raise SettingsError(f"studies: no study '{unknown[0]}' among {sorted(known)}")
    wanted = [study for study in dict.fromkeys(asked) if not (study in config and config[study] is None)]
    chosen = [study for study in wanted if scale in _scales(root, study)]
    if not chosen:
        scales = sorted({name for study in asked for name in _scales(root, study)})
        raise SettingsError(
            f"configuration: no study of {wanted} at the scale '{scale}' (there are {', '.join(scales)})"
        )
    below: dict[str, Any] = {}
    for study in chosen:
        below = _joined(below, _of_study(root, study, scale), study)
    # What is said of a study that is not made is about nothing.
    own = {key: value for key, value in config.items() if key not in known or key in chosen}
    results = config.get("results") or ("results" if scale == _DEFAULT else f"results_{scale}")
    whole = merged(
        _without_redefined(below, own, chosen), {**own, "scale": scale, "studies": chosen, "results": results}
    )
    return {key: with_recipe(key, value) if key in chosen else value for key, value in whole.items()}


def _without_redefined(below: Mapping[str, Any], own: Mapping[str, Any], studies: Sequence[str]) -> dict[str, Any]:
    """Return the layers below without what the user has something of his own in place of."""
    made = {**below, **{section: _kept(section, below, own) for section in _NAMED if section in below}}
    if real_files := _mapping(_mapping(below, _RESPONSE), "real_files"):
        # They are of the process that is there, and not of what the user makes of it.
        of_user = _mapping(own, "processes")
        kept = {name: file for name, file in real_files.items() if set(_mapping(of_user, name)) <= _NO_PHYSICS}
        made[_RESPONSE] = {**below[_RESPONSE], "real_files": kept}
    for study in studies:
        settings, of_user = _mapping(below, study), _mapping(own, study)
        if any(_defined("classes", item) for item in _mapping(of_user, "classes").values()):
            of_study = {key: value for key, value in settings.items() if key not in _OF_CLASSES}
            named = _kept("classes", settings, of_user, _mapping(of_user, "classes"))
            made[study] = of_study | {"classes": named}
        kinds = [_mapping(layer, "source").get("kind") for layer in (settings, of_user)]
        if None not in kinds and kinds[0] != kinds[1]:
            made[study] = {key: value for key, value in settings.items() if key not in _OF_SOURCE}
        events = of_user.get("events") or settings.get("events")
        if events != settings.get("events") or _defined("datasets", _mapping(own, "datasets").get(str(events))):
            made[study] = {key: value for key, value in settings.items() if key not in _OF_EVENTS}
    return made


def _kept(
    section: str, below: Mapping[str, Any], own: Mapping[str, Any], among: Iterable[str] | None = None
) -> dict[str, Any]:
    """Return the entries of a section that the user does not define anew; only those ``among`` names, if given."""
    entries, of_user = _mapping(below, section), _mapping(own, section)
    names = [name for name in entries if among is None or name in among]
    return {name: entries[name] for name in names if not _defined(section, of_user.get(name))}


def _defined(section: str, entry: Any) -> bool:
    if not isinstance(entry, Mapping):
        return False
    said = {key for key, value in entry.items() if value is not None}
    if section == "datasets" and "kind" not in _mapping(entry, "source"):
        # Without its kind it changes some of the keys of the source below.
        said.discard("source")
    return not said.isdisjoint(_DEFINING[section])


def _mapping(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = values.get(key)
    return found if isinstance(found, Mapping) else {}


def _scales(root: Path, study: str) -> set[str]:
    return {path.stem for path in (root / "configs" / study).glob("*.yaml")}


def _file(root: Path, study: str, scale: str) -> Path:
    return root / "configs" / study / f"{scale}.yaml"


def _of_study(root: Path, study: str, scale: str) -> dict[str, Any]:
    """Return the files of a study. What they set to null is not there for other studies."""
    made: dict[str, Any] = {}
    for name in dict.fromkeys((_DEFAULT, scale)):
        path = _file(root, study, name)
        layer = read_yaml(path, may_be_empty=True)
        others = sorted(set(layer) - {study, *_SHARED})
        if others:
            raise SettingsError(f"{path}: {others[0]}: a file of the study holds {study}, {', '.join(_SHARED)} alone")
        made = merged(made, layer)
    return {key: without_nulls(value) if key in _SHARED else value for key, value in made.items() if value is not None}


def _joined(below: Mapping[str, Any], above: Mapping[str, Any], study: str) -> dict[str, Any]:
    for section in _NAMED:
        old, new = below.get(section, {}), above.get(section, {})
        if not isinstance(new, Mapping):
            raise SettingsError(f"configs/{study}: {section}: expected names and their settings")
        for name in old.keys() & new.keys():
            if old[name] != new[name]:
                raise SettingsError(f"configs/{study}: {section}.{name}: another study defines it differently")
    if _RESPONSE in below and _RESPONSE in above and below[_RESPONSE] != above[_RESPONSE]:
        raise SettingsError(f"configs/{study}: {_RESPONSE}: another study defines it differently")
    return merged(below, above)
