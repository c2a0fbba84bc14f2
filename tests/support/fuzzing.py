"""What tests with random input share: how many examples, and what may become of each.

The number is CLOUDCHAMBER_FUZZ_EXAMPLES; ``make fuzz`` sets it, and draws new examples in each run.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings

from cloudchamber.errors import CloudchamberError
from cloudchamber.interruption import names_lack_of_memory

__all__ = ["clean_or_refused", "fuzzed"]

_CHOSEN = os.environ.get("CLOUDCHAMBER_FUZZ_EXAMPLES")
fuzzed = settings(
    max_examples=int(_CHOSEN or 40),
    derandomize=_CHOSEN is None,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def clean_or_refused(read: Callable[[], Any]) -> None:
    """Read; an error must be one of ours. What lacks memory is mapped as the command line does it."""
    with suppress(CloudchamberError), names_lack_of_memory("ingest"):
        read()
