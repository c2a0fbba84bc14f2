"""What the jobs of an analysis ask of the machine or the cluster, beside the numbers that stand in the rules."""

from collections.abc import Callable
from typing import Any

__all__ = ["growing"]


def growing(first: int) -> Callable[[Any, int], int]:
    """Return a resource of a rule that grows by its ``first`` value with each attempt."""

    def resource(wildcards: Any, attempt: int) -> int:
        return first * attempt

    return resource
