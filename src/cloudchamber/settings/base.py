"""What all settings share: frozen models that refuse unknown keys, and one line for what is wrong with a file."""

import math
import re
from abc import ABC
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar, final, overload

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from cloudchamber.errors import SettingsError
from cloudchamber.settings.faults import told
from cloudchamber.settings.written import passed_over

__all__ = [
    "NULL_SAYS",
    "Different",
    "Fraction",
    "Name",
    "PositiveFloat",
    "PositiveInt",
    "Radius",
    "Seeds",
    "Settings",
    "Share",
    "Window",
    "load",
    "merged",
    "parse",
    "read_yaml",
    "refuse_other_keys",
    "without_nulls",
]

# Keys of which null is another value than the one that counts where they are left out.
NULL_SAYS = frozenset({"core_radius", "weight_branch"})

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# In eta and phi. The names of jets have tenths of it: who writes the 8 of AK8 would make one jet of each event.
Radius = Annotated[float, Field(gt=0, le=math.pi)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]


def _ordered(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] >= window[1]:
        raise ValueError("the lower limit must be below the upper one")
    return window


def _different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    repeated = [value for value in values if values.count(value) > 1]
    if repeated:
        raise ValueError(f"{repeated[0]!r} stands there twice")
    return values


# Of a tuple none of whose items is there twice.
Different = AfterValidator(_different)
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), Different]

Window = Annotated[tuple[Annotated[float, Field(ge=0)], PositiveFloat], AfterValidator(_ordered)]


class Settings(BaseModel, ABC):
    """Abstract base of all settings: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


T = TypeVar("T", bound=Settings)


@overload
def parse(model: type[T], values: Mapping[str, Any], source: str | Path = "settings") -> T: ...


@overload
def parse(model: Any, values: Mapping[str, Any], source: str | Path = "settings") -> Any: ...


def parse(model: Any, values: Mapping[str, Any], source: str | Path = "settings") -> Any:
    """Check ``values`` against a settings model or a union of some. A key whose value is null counts as left out.

    Raises:
        SettingsError: one line with the source, the dotted key and the reason for each fault.
    """
    try:
        made = TypeAdapter(model).validate_python(without_nulls(values))
    except ValidationError as error:
        raise SettingsError(f"{source}: " + "; ".join(told(error, model, values))) from None
    except RecursionError:
        raise SettingsError(f"{source}: nested too deeply, or an alias that holds itself") from None
    for fault in passed_over(values, made):
        raise SettingsError(f"{source}: {fault}")
    return made


@overload
def load(model: type[T], text_or_path: str) -> T: ...


@overload
def load(model: Any, text_or_path: str) -> Any: ...


def load(model: Any, text_or_path: str) -> Any:
    """Read settings from inline JSON (begins with a brace) or from a YAML or JSON file.

    Raises:
        SettingsError: the file is missing, is not a mapping, or does not fit the model.
    """
    inline = text_or_path.lstrip().startswith("{")
    source = "settings" if inline else text_or_path
    return parse(model, _mapping(text_or_path, source) if inline else read_yaml(text_or_path), source)


def read_yaml(path: str | Path, may_be_empty: bool = False) -> dict[str, Any]:
    """Return the keys and values of a YAML or JSON file.

    Args:
        path: of the file.
        may_be_empty: whether a file without any key is one with no keys, and no error.

    Raises:
        SettingsError: the file is missing, is not YAML or is not a mapping; a key is no text or stands there twice.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path}: not YAML: {error}") from error
    return _mapping(text, path, may_be_empty)


# Whole numbers in base 8, and numbers in base 60: YAML 1.1 knows both, and nobody means them.
_OTHER_BASES = (
    (re.compile(r"[-+]?0[0-7_]+"), "in eights: write the number without zeros in front"),
    (re.compile(r"[-+]?[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?"), "in sixties: write the number without colons"),
)
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


_NO_SPACE = "'{}' is a key without a value to YAML: a space is missing behind the colon"


def _lacks_a_space(key: str, value: Any) -> bool:
    """Return whether a key holds its value: without a space behind the colon YAML takes both for one text."""
    return ":" in key.rstrip(":") and value in (None, "")


@final
class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # yaml has no annotations
    """Refuses what yaml lets pass: a key that stands there twice, where the last counts, or is no text, and numbers in
    other bases than they look like."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        for pattern, how in _OTHER_BASES:
            if node.tag in _NUMBERS and pattern.fullmatch(node.value):
                line = node.start_mark.line + 1
                raise SettingsError(f"line {line}: YAML counts {node.value} {how}, or a text in quotes")
        return super().construct_object(node, deep)

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        # As written: later the keys of "<<" stand among the others.
        node = super().compose_mapping_node(anchor)
        found: set[str] = set()
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag not in ("tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"):
                written = f"'{key.value}' (" if isinstance(key, yaml.ScalarNode) else "("
                raise SettingsError(f"line {line}: key {written}YAML takes it for no text): write it in quotes")
            if key.value in found:
                raise SettingsError(f"line {line}: key '{key.value}' stands there twice")
            if _lacks_a_space(key.value, value.value):
                raise SettingsError(f"line {line}: {_NO_SPACE.format(key.value)}")
            found.add(key.value)
        return node


def _mapping(text: str, source: str | Path, may_be_empty: bool = False) -> dict[str, Any]:
    try:
        values = yaml.load(text, _Loader)
    except SettingsError as error:
        raise SettingsError(f"{source}, {error}") from None
    # Beside its own errors yaml raises ValueError for a date or a number that it cannot make.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(f"{source}: not YAML: {' '.join(str(error).split())[:300]}") from error
    if values is None and may_be_empty:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"{source}: expected keys and values at the top level")
    return values


def refuse_other_keys(values: Any, at: str = "") -> None:
    """Refuse keys that are no texts, or hold their values, at any depth: they would be the names of nothing.

    Raises:
        SettingsError: with the dotted key.
    """
    if not isinstance(values, Mapping):
        return
    for key, value in values.items():
        if not isinstance(key, str):
            raise SettingsError(f"configuration: {at}{key}: YAML takes the key for no text: write it in quotes")
        if _lacks_a_space(key, value):
            where = f"{at[:-1]}: " if at else ""
            raise SettingsError(f"configuration: {where}{_NO_SPACE.format(key)}")
        refuse_other_keys(value, f"{at}{key}.")


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return keys and values of both; where both have a key, mappings are merged, and else the upper value counts.

    A mapping that says of another ``kind`` takes nothing of the one below.
    """
    made = dict(below)
    for key, value in above.items():
        old = made.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not _of_different_kinds(old, value):
            made[key] = merged(old, value)
        else:
            made[key] = value
    return made


def _of_different_kinds(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    kinds = [values.get("kind") for values in (old, new)]
    return None not in kinds and kinds[0] != kinds[1]


def without_nulls(value: Any) -> Any:
    """Return keys and values without those that are null, at any depth; null stays where it says something."""
    if isinstance(value, Mapping):
        return {key: without_nulls(item) for key, item in value.items() if item is not None or key in NULL_SAYS}
    return value
