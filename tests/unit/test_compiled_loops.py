"""Loops of numba whose cache must not outlive what they take from other modules."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from cloudchamber.sources import PACKAGE

PARTS = "from numba import njit\n\nSCALE = 2.0\n\n\n@njit(cache=True)\ndef squared(x):\n    return x * x\n"
LOOP = """
from cloudchamber.compiled_loops import compiled
from parts import SCALE, squared


@compiled(fastmath=True)
def total(n):
    found = 0.0
    for i in range(n):
        found += SCALE * squared(i)
    return found


print(total(3), sum(total.stats.cache_hits.values()))
"""


def _run(folder: Path) -> list[str]:
    command = [sys.executable, "-c", "import loop"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()


@pytest.mark.parametrize(("old", "new", "value"), [("x * x", "x * x * x", "18.0"), ("SCALE = 2", "SCALE = 3", "15.0")])
def test_a_change_in_another_module_is_compiled(tmp_path: Path, old: str, new: str, value: str) -> None:
    (tmp_path / "parts.py").write_text(PARTS, encoding="utf-8")
    (tmp_path / "loop.py").write_text(LOOP, encoding="utf-8")
    assert _run(tmp_path) == ["10.0", "0"]
    assert _run(tmp_path) == ["10.0", "1"], "the second process compiles nothing"
    (tmp_path / "parts.py").write_text(PARTS.replace(old, new), encoding="utf-8")
    assert _run(tmp_path) == [value, "0"]


def _taken_from_elsewhere(module: Path) -> set[str]:
    """Return the names of the package's other modules in loops of a module that are plain ``njit``."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cloudchamber")
        for alias in node.names
    }
    loops = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any("'njit'" in ast.dump(item) for item in node.decorator_list)
    ]
    bodies = [statement for loop in loops for statement in loop.body]
    return imported & {item.id for body in bodies for item in ast.walk(body) if isinstance(item, ast.Name)}


def test_no_loop_takes_from_other_modules_without_saying_so() -> None:
    found = {str(module): names for module in PACKAGE.rglob("*.py") if (names := _taken_from_elsewhere(module))}
    assert not found
