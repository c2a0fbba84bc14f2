"""Boolean functions of one gate whose output another gate multiplies: output gating of two threshold gates.

What the product is depends on how true and false are written as numbers. Written +1 and -1 ("signs") the product is
true where the gates agree. Written 1 and 0 ("zero_one") it is true where both are. From three inputs on the two
conventions give different sets of functions. Output gating is that of arXiv 2202.08371; that the conventions differ in
number was found here.
"""

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from cloudchamber.progress import progress

__all__ = ["Convention", "count_products", "gated_functions", "product"]

Convention = Literal["signs", "zero_one"]

# So many gates between two looks at the progress: enough work for the call from Python to cost nothing.
_GATES = 256


def product(
    first: NDArray[np.uint32] | np.uint32, second: NDArray[np.uint32], inputs: int, convention: Convention
) -> NDArray[np.uint32]:
    """Return the truth tables of products of gates, which broadcast against each other.

    Args:
        first, second: truth tables of functions of n inputs.
        inputs: n, at most 5.
        convention: how true and false are written as numbers.
    """
    if convention == "zero_one":
        return first & second
    return first ^ second ^ np.uint32(2**2**inputs - 1)


def gated_functions(functions: NDArray[np.uint32], inputs: int, convention: Convention) -> NDArray[np.uint32]:
    """Return all products of two of ``functions``, as rising truth tables.

    Args:
        functions: truth tables of functions of n inputs.
        inputs: n, at most 4.
        convention: how true and false are written as numbers.

    Raises:
        ValueError: more than four inputs, whose products :func:`count_products` counts.
    """
    if inputs > 4:
        raise ValueError(f"products of functions of {inputs} inputs are too many to list: at most 4 inputs can be")
    present = np.zeros(2**2**inputs, dtype=bool)
    for function in functions:
        present[product(function, functions, inputs, convention)] = True
    return np.flatnonzero(present).astype(np.uint32)


def count_products(
    functions: NDArray[np.uint32], inputs: int, convention: Convention, name: str = "products", shown: bool = False
) -> int:
    """Return how many functions are products of two of ``functions``, without listing them.

    Every pair is gone through and its product sets one bit of a set: 512 MiB for five inputs, half of that for signs.
    Complementing both gates leaves a product of signs as it was, and complementing one of them complements it. So for
    signs the gates that are false on the first input suffice, and half of the products is found.

    Args:
        functions: truth tables of functions of n inputs; for signs with the complement of each.
        inputs: n, at most 5.
        convention: how true and false are written as numbers.
        name: what the progress is called.
        shown: whether to report progress.

    Raises:
        ValueError: the complement of a function is missing.
    """
    signs = convention == "signs"
    if signs and len(np.setdiff1d(functions ^ np.uint32(2**2**inputs - 1), functions)):
        raise ValueError("products of signs are counted by halves: the complement of a function is missing")
    gates = functions[functions & 1 == 0] if signs else functions
    present = np.zeros(max(1, 2**2**inputs // 64), dtype=np.uint64)
    with progress(name, len(gates) * (len(gates) + 1) // 2, "pairs", shown=shown) as reporter:
        for start in range(0, len(gates), _GATES):
            reporter.update(_mark(present, gates, start, min(start + _GATES, len(gates)), signs))
    return int(np.bitwise_count(present).sum(dtype=np.int64)) * (2 if signs else 1)


@njit(cache=True)
def _mark(present: np.ndarray, gates: np.ndarray, start: int, stop: int, signs: bool) -> int:
    """Set the bits of the products of each of some gates with itself and all later ones; return their number."""
    pairs = 0
    for i in range(start, stop):
        for j in range(i, len(gates)):
            # Two gates that are false on the first input differ nowhere or elsewhere: its bit is not kept.
            table = np.uint64(gates[i] ^ gates[j]) >> np.uint64(1) if signs else np.uint64(gates[i] & gates[j])
            present[table >> np.uint64(6)] |= np.uint64(1) << (table & np.uint64(63))
        pairs += len(gates) - i
    return pairs
