"""What pydantic finds wrong with settings, in the words of who wrote them."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

__all__ = ["told"]

# What pydantic puts around each tag.
_QUOTE = "'"
_UNIONS = (Union, UnionType)


def told(error: ValidationError, model: Any, values: Any) -> list[str]:
    """Return the dotted key and the reason of each fault, only the reason where there is no key.

    Args:
        error: what pydantic says of ``values``.
        model: that they were checked against, or a union of some.
        values: keys and values as they were written.
    """
    return [_told(dict(fault), model, values) for fault in error.errors()]


def _told(fault: Mapping[str, Any], model: Any, values: Any) -> str:
    location: tuple[int | str, ...] = fault["loc"]
    reason = fault["msg"].removeprefix("Value error, ")
    keys = _written(location, values)
    match fault["type"]:
        case "extra_forbidden":
            close = get_close_matches(str(location[-1]), _fields(model, location[:-1]), n=1)
            reason = "no such key" + "".join(f"; did you mean {name}?" for name in close)
        case "union_tag_invalid":
            keys.append("kind")
            reason = f"{fault['ctx']['tag']!r} is none of {fault['ctx']['expected_tags'].replace(_QUOTE, '')}"
        case "union_tag_not_found" if isinstance(fault["input"], Mapping):
            keys.append("kind")
            kinds = dict.fromkeys(str(tag) for member in _at(model, location) for tag in _tags(member))
            reason = f"is missing; it is one of {', '.join(kinds)}"
        case "union_tag_not_found":
            reason = "expected keys and values"
    return ": ".join([*filter(None, [".".join(keys)]), reason])


def _written(location: Sequence[int | str], values: Any) -> list[str]:
    """Return a location without the tags of unions that pydantic puts into it and the user never wrote."""
    kept = []
    for depth, part in enumerate(location, 1):
        # The last part may be a key that is missing, which only its name tells from a tag.
        if isinstance(values, Mapping) and part not in values and (depth < len(location) or values.get("kind") == part):
            continue
        kept.append(str(part))
        values = values.get(part) if isinstance(values, Mapping) else None
    return kept


def _fields(model: Any, location: Sequence[int | str]) -> list[str]:
    """Return the keys that a model, or each one of a union, has at a location."""
    models = [_plain(member) for member in _at(model, location)]
    return [name for member in models if _is_model(member) for name in member.model_fields]


def _at(model: Any, location: Sequence[int | str]) -> list[Any]:
    """Return what a model, or each one of a union, has at a location; a list, as a union has several."""
    found = list(_members(model))
    for part in location:
        tagged = [member for member in found if len(found) > 1 and part in _tags(member)]
        # What pydantic puts into a location for other unions leads nowhere.
        found = tagged or [below for member in found for below in _below(member, part)] or found
    return found


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union at any depth, with their annotations; what is no union is its own member."""
    plain = _plain(annotation)
    if get_origin(plain) in _UNIONS:
        for member in get_args(plain):
            yield from _members(member)
    else:
        yield annotation


def _plain(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _tags(member: Any) -> tuple[Any, ...]:
    """Return what a location may call a member of a union."""
    plain = _plain(member)
    named = tuple(item.tag for item in get_args(member)[1:] if isinstance(item, Tag)) if plain is not member else ()
    kind = plain.model_fields.get("kind") if _is_model(plain) else None
    return named if kind is None else (*named, *get_args(kind.annotation))


def _below(member: Any, part: int | str) -> list[Any]:
    """Return what a member has at a key or position: a list, as a union has several."""
    plain = _plain(member)
    if _is_model(plain):
        return list(_members(plain.model_fields[part].annotation)) if part in plain.model_fields else []
    arguments = get_args(plain)
    origin = get_origin(plain)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return list(_members(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Sequence) and isinstance(part, int):
        return list(_members(arguments[0]))
    return []
