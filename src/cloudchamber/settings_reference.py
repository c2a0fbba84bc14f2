"""Writes docs/settings.md and config.schema.json from the settings models; a test keeps them in step.

The schema makes editors complete and check config.yaml.
"""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from cloudchamber.analysis import AnalysisSettings

__all__ = ["reference", "schema"]

_HEAD = """# Settings

Every key that `config.yaml` and its overlays may hold, generated from `src/cloudchamber/settings/` by `make docs`.
An unknown key is an error.

"""


def schema() -> str:
    """Return the JSON schema of config.yaml."""
    return json.dumps(AnalysisSettings.model_json_schema(), indent=2, sort_keys=True) + "\n"


def reference() -> str:
    """Return the description of all settings as Markdown."""
    sections: list[str] = []
    pending: list[type[BaseModel]] = [AnalysisSettings]
    seen = set(pending)
    while pending:
        model = pending.pop(0)
        sections.append(_section(model))
        for field in model.model_fields.values():
            for inner in _models(field.annotation):
                if inner not in seen:
                    seen.add(inner)
                    pending.append(inner)
    return _HEAD + "\n".join(sections)


def _section(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_type(field)} | {_default(field)} | {field.description or ''} |"
        for name, field in model.model_fields.items()
    ]
    text = " ".join((model.__doc__ or "").split())
    return (
        f"## {model.__name__}\n\n{text}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n"
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.default if field.default is not PydanticUndefined else field.default_factory()  # type: ignore[misc, call-arg]
    if isinstance(value, BaseModel):
        return "its defaults"
    return f"`{json.dumps(value)}`"


def _type(field: FieldInfo) -> str:
    return _name(field.annotation).replace("|", r"\|")


def _name(annotation: Any) -> str:
    if annotation in (None, types.NoneType):
        return "null"
    origin, parts = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _name(parts[0])
    if origin is typing.Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_name(part) for part in parts)
    if origin is tuple:
        inner = [part for part in parts if part is not Ellipsis]
        return f"list of {_name(inner[0])}" if len(parts) != len(inner) else f"list of {len(inner)} {_name(inner[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"name: {_name(parts[1])}"
    if issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{annotation.__name__.lower()})"
    return {str: "text", float: "number", int: "whole number", bool: "true or false"}[annotation]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None and issubclass(annotation, BaseModel):
        yield annotation
    for part in typing.get_args(annotation):
        yield from _models(part)


def main(root: Path) -> None:
    """Write both files below ``root``."""
    (root / "docs/settings.md").write_text(reference(), encoding="utf-8")
    (root / "config.schema.json").write_text(schema(), encoding="utf-8")


if __name__ == "__main__":
    main(Path.cwd())
