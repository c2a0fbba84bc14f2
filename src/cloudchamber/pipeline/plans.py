"""Plans of studies for the rules that they share."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar, final

__all__ = ["Plans"]

Plan = TypeVar("Plan")


@final
class Plans(Generic[Plan]):
    """Plans of one kind by the names of their studies: values of the wildcard ``study`` of shared rules."""

    def __init__(self, of_study: Mapping[str, Plan]) -> None:
        self.of_study = of_study

    @property
    def studies(self) -> list[str]:
        """The studies that have such a plan."""
        return list(self.of_study)

    def where(self, condition: Callable[[Plan], bool]) -> list[str]:
        """Return the studies whose plan fulfils a condition."""
        return [study for study, plan in self.of_study.items() if condition(plan)]

    def all_of(self, values: Callable[[Plan], Iterable[str]]) -> list[str]:
        """Return what the plans of all studies name, each once."""
        return list(dict.fromkeys(value for plan in self.of_study.values() for value in values(plan)))

    def ask(self, method: Callable[[Plan, Any], Any]) -> Callable[[Any], Any]:
        """Return a function of Snakemake that asks the plan of the job's study.

        Args:
            method: of the class of the plan; takes the wildcards.
        """
        return lambda wildcards: method(self.of_study[wildcards.study], wildcards)
