"""Whether jets of one sample were cut to their hardest particles and those that they are compared with were not.

The same of events and their hardest jets.
"""

import sys
from collections.abc import Mapping

import numpy as np

from cloudchamber.preparation.alike import cut_at

__all__ = ["say_cut_events", "say_cut_samples"]

# Events that were cut keep a handful of jets.
_FEWEST_JETS = 4


def say_cut_samples(step: str, samples: Mapping[str, np.ndarray]) -> None:
    """Say on standard error which samples were cut and others not, by their numbers of particles.

    Args:
        step: what says it.
        samples: (N,) numbers of particles of the jets that are compared, by name.
    """
    numbers = {name: np.bincount(jets) for name, jets in samples.items()}
    _say(step, numbers, {name: cut_at(found) for name, found in numbers.items() if len(found)}, "jets", "particles")


def say_cut_events(step: str, samples: Mapping[str, np.ndarray]) -> bool:
    """Say the same of events, by their numbers of jets, and return whether there was something to say.

    Args:
        step: what says it.
        samples: (n,) how many events have 0, 1, ... jets, by name; the last is not zero.
    """
    cuts = {name: cut_at(found, _FEWEST_JETS) for name, found in samples.items() if len(found)}
    return _say(step, samples, cuts, "events", "jets")


def _say(step: str, samples: Mapping[str, np.ndarray], cuts: Mapping[str, int | None], of: str, what: str) -> bool:
    most = max(map(len, samples.values())) - 1
    found = {name: cut for name, cut in cuts.items() if cut is not None and cut < most}
    for name, cut in found.items():
        sys.stderr.write(
            f"{step}: WARNING: {samples[name][cut]} of {samples[name].sum()} {of} of {name} have {cut} {what} and none "
            f"has more, those of another sample have up to {most}, as where the former were cut to the hardest\n"
        )
    return bool(found)
