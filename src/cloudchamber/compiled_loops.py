"""Loops compiled by numba: their cache, and numba without the extensions that other packages bring to it."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["compiled", "without_extensions"]


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Return the decorator ``njit(cache=True)`` of a loop that takes functions or numbers from other modules.

    Numba looks for changes in the file of the loop alone: a compiled function that the loop calls, or a constant, would
    stay in its cache as it was where another module defines it. Modules have to import them before the loop.

    Args:
        options: of ``njit``.
    """
    from numba import njit

    def decorate(function: Callable[..., Any]) -> Any:
        loop = njit(cache=True, **options)(function)
        # Without compilation (NUMBA_DISABLE_JIT) it is the function itself.
        if loop is not function:
            file = _file_of_cache(loop)
            file._source_stamp = (file._source_stamp, _from_elsewhere(function.__module__, function.__globals__))
        return loop

    return decorate


def _file_of_cache(loop: Any) -> Any:
    return loop._cache._cache_file


def _from_elsewhere(module: str, names: Mapping[str, Any]) -> tuple[tuple[str, object], ...]:
    """Return what shows a change of the functions and numbers that a module knows by name."""
    numbers = [(name, repr(value)) for name, value in names.items() if isinstance(value, int | float)]
    others = [
        (name, _file_of_cache(value)._source_stamp)
        for name, value in names.items()
        if hasattr(value, "py_func") and value.__module__ != module
    ]
    return (*numbers, *others)


def without_extensions() -> None:
    """Keep numba from importing, at its first compilation, every installed package that extends it.

    awkward and vector do, and vector brings sympy: together a second of processor time in each process. No loop here
    takes an array of theirs. It holds for the whole process, so that it is for our command line only and not for a
    program that uses the package.
    """
    if "numba" in sys.modules:
        from numba.core import entrypoints

        entrypoints._already_initialized = True
