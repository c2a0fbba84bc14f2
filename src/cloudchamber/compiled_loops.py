"""Loops compiled by numba, without the extensions that other packages bring to it."""

import sys

__all__ = ["without_extensions"]


def without_extensions() -> None:
    """Keep numba from importing, at its first compilation, every installed package that extends it.

    awkward and vector do, and vector brings sympy: together a second of processor time in each process. No loop here
    takes an array of theirs. It holds for the whole process, so that it is for our command line only and not for a
    program that uses the package.
    """
    if "numba" in sys.modules:
        from numba.core import entrypoints

        entrypoints._already_initialized = True
