"""Which source files of the package a stage depends on, read off the imports.

Snakemake does not see imports, and a resumed training must not go on under other code: both ask here.
"""

import ast
from functools import cache
from pathlib import Path

__all__ = ["PACKAGE", "sources_of"]

PACKAGE = Path(__file__).parent
# What passes data on, asks and reports: a change there changes no result. Settings reach stages as values.
_INFRASTRUCTURE = (
    "analysis",
    "arguments",
    "cli",
    "cloud",
    "entry_points",
    "errors",
    "hdf5",
    "interruption",
    "pipeline",
    "progress",
    "records",
    "settings",
    "sources",
    "storage",
    "training/events",
    "training/state",
)


def sources_of(entry: str) -> list[Path]:
    """Return the modules that ``entry`` imports, directly or through others, and itself.

    Args:
        entry: a module, relative to the package, such as "generative/train.py".

    Returns:
        paths relative to the package, sorted; without the modules that only move data.
    """
    found: set[Path] = set()
    waiting = [Path(entry)]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _imports(module)
    return sorted(found)


@cache
def _imports(module: Path) -> tuple[Path, ...]:
    tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
    imported: dict[Path, None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE.name:
            base = Path(*node.module.split(".")[1:])
            # "from cloudchamber import seeds" names modules, "from cloudchamber.seeds import generator" what is in one.
            for path in (base, *(base / alias.name for alias in node.names)):
                if (PACKAGE / path).with_suffix(".py").is_file() and not _is_infrastructure(path):
                    imported[path.with_suffix(".py")] = None
    return tuple(imported)


def _is_infrastructure(path: Path) -> bool:
    # A study keeps its settings in its room.
    return (
        path.name == "settings"
        or path.name.endswith("_settings")
        or any(path.is_relative_to(name) for name in _INFRASTRUCTURE)
    )
