"""Who may import whom: studies stand on the shared rooms, and nothing below knows a study."""

import ast
from pathlib import Path

import pytest
from project_copy import REPOSITORY

from cloudchamber.analysis import STUDIES

PACKAGE = REPOSITORY / "src/cloudchamber"
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
# What stands above the studies.
ABOVE = ("analysis.py", "settings_reference.py", "settings_table.py", "__main__.py", "cli", "library")
# The public names of the package: imported when they are used, and by nothing below.
INTERFACE = Path("__init__.py")


def imports(module: Path) -> set[Path]:
    """Return the modules of the package that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "cloudchamber":
                path = Path(*parts[1:]).with_suffix(".py") if len(parts) > 1 else Path("__init__.py")
                found |= {item for item in (path, path.with_suffix("") / "__init__.py") if (PACKAGE / item).is_file()}
    return found - {module, INTERFACE}


def room_of_study(module: Path) -> str | None:
    return module.parts[1] if module.parts[0] == "studies" and len(module.parts) > 2 else None


def is_above(module: Path) -> bool:
    return module.parts[0] in ABOVE


@pytest.mark.parametrize("module", [m for m in MODULES if room_of_study(m)], ids=str)
def test_studies_never_import_each_other(module: Path) -> None:
    own = room_of_study(module)
    assert {room_of_study(item) for item in imports(module)} <= {None, own}


@pytest.mark.parametrize(
    "module", [m for m in MODULES if not room_of_study(m) and not is_above(m) and m != INTERFACE], ids=str
)
def test_nothing_below_imports_a_study(module: Path) -> None:
    assert not [item for item in imports(module) if room_of_study(item) or is_above(item)]


@pytest.mark.parametrize("room", ["pipeline", "figures"])
def test_shared_rooms_name_no_study(room: str) -> None:
    for path in sorted((PACKAGE / room).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert not [name for name in STUDIES if name in text], path


def test_no_module_imports_itself_through_others() -> None:
    """A circle works until somebody changes the order of two imports."""
    graph = {module: imports(module) for module in MODULES if module.name != "__init__.py"}
    done: set[Path] = set()

    def visit(module: Path, way: tuple[Path, ...]) -> None:
        assert module not in way, " -> ".join(map(str, (*way[way.index(module) :], module)))
        if module not in done:
            for item in sorted(graph.get(module, ())):
                visit(item, (*way, module))
            done.add(module)

    for module in graph:
        visit(module, ())


@pytest.mark.parametrize("study", STUDIES)
def test_one_name_in_every_tree(study: str) -> None:
    for path in (f"src/cloudchamber/studies/{study}", f"tests/studies/{study}", f"docs/studies/{study}.md"):
        assert (REPOSITORY / path).exists(), path
    assert {"default", "tiny", "standard", "gpu"} <= {
        path.stem for path in (REPOSITORY / "configs" / study).glob("*.yaml")
    }
