"""Compiled kernels over many jets, a piece at a time, so that progress can be shown."""

from collections.abc import Callable

import numpy as np

from cloudchamber.progress import progress

__all__ = ["in_chunks"]

_CHUNK = 2048


def in_chunks(
    name: str, kernel: Callable[..., None], momenta: tuple[np.ndarray, np.ndarray, np.ndarray], n_columns: int
) -> np.ndarray:
    """Return what ``kernel`` makes of each jet, (N, n_columns) float64.

    Args:
        name: of the step, for the progress.
        kernel: called with pt, eta, phi (M, P) of M jets and with the zeros (M, n_columns) that it writes to.
        momenta: pt, eta, phi, (N, P) each.
        n_columns: numbers per jet.
    """
    pt, eta, phi = (np.ascontiguousarray(values, dtype=np.float64) for values in momenta)
    results = np.zeros((len(pt), n_columns))
    with progress(name, len(pt), "jets") as report:
        for start in range(0, len(pt), _CHUNK):
            rows = slice(start, start + _CHUNK)
            kernel(pt[rows], eta[rows], phi[rows], results[rows])
            report.update(len(results[rows]))
    return results
