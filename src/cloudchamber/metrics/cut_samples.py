"""Whether jets of one sample were cut to their hardest particles and those that they are compared with were not."""

import sys
from collections.abc import Mapping

import numpy as np

from cloudchamber.preparation.alike import cut_at

__all__ = ["say_cut_samples"]


def say_cut_samples(step: str, samples: Mapping[str, np.ndarray]) -> None:
    """Say on standard error which samples were cut and others not, by their numbers of particles.

    Args:
        step: what says it.
        samples: (N,) numbers of particles of the jets that are compared, by name.
    """
    numbers = {name: np.bincount(jets) for name, jets in samples.items()}
    most = max(map(len, numbers.values())) - 1
    for name, found in numbers.items():
        if len(found) and (cut := cut_at(found)) is not None and cut < most:
            sys.stderr.write(
                f"{step}: WARNING: {found[cut]} of {found.sum()} jets of {name} have {cut} particles and none has "
                f"more, those of another sample have up to {most}, as where the former were cut to the hardest\n"
            )
