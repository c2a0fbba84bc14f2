"""What an event is made of: particles, the partons (daughters) that each decays to, and what may be exchanged.

An assignment gives each daughter of a particle one jet. Assignments that differ by an exchange of equivalent daughters,
as of the two light quarks of a W, are one and the same; so are events that differ by an exchange of equivalent
particles, as of the two tops.
"""

from collections.abc import Mapping
from itertools import permutations, product
from typing import Annotated, Self, final

from pydantic import Field, model_validator

from cloudchamber.settings.base import Different, Name, Settings

__all__ = ["ALL_HADRONIC_TOP_PAIR", "EventTopology", "ParticleTopology", "symmetry_group"]

Names = Annotated[tuple[Name, ...], Field(min_length=1), Different]


def symmetry_group(names: tuple[str, ...], exchangeable: tuple[tuple[str, ...], ...]) -> list[tuple[int, ...]]:
    """Return every permutation of ``names`` that exchanges the names of each set among themselves.

    A permutation is a tuple p of positions: what stood at p[i] comes to i. The identity is first.

    Example:
        >>> symmetry_group(("b", "q1", "q2"), (("q1", "q2"),))
        [(0, 1, 2), (0, 2, 1)]
    """
    sets = [tuple(names.index(name) for name in group) for group in exchangeable]
    found = []
    for choice in product(*(permutations(places) for places in sets)):
        image = list(range(len(names)))
        for places, permuted in zip(sets, choice, strict=True):
            for place, source in zip(places, permuted, strict=True):
                image[place] = source
        found.append(tuple(image))
    return found


def _refuse_strangers(names: tuple[str, ...], exchangeable: tuple[tuple[str, ...], ...], what: str) -> None:
    listed = [name for group in exchangeable for name in group]
    for name in listed:
        if name not in names:
            raise ValueError(f"exchangeable: no {what} '{name}' among {list(names)}")
    if len(set(listed)) < len(listed):
        raise ValueError(f"exchangeable: a {what} stands in two sets, or twice in one")


@final
class ParticleTopology(Settings):
    """One particle that decays."""

    daughters: Annotated[Names, Field(max_length=3)] = Field(description="partons that it decays to, one to three")
    exchangeable: tuple[Names, ...] = Field((), description="sets of daughters that no measurement tells apart")

    @model_validator(mode="after")
    def _daughters_exist(self) -> Self:
        _refuse_strangers(self.daughters, self.exchangeable, "daughter")
        return self

    @property
    def symmetries(self) -> list[tuple[int, ...]]:
        """Permutations of the daughters that leave an assignment what it is."""
        return symmetry_group(self.daughters, self.exchangeable)


@final
class EventTopology(Settings):
    """The particles of an event."""

    particles: Annotated[Mapping[Name, ParticleTopology], Field(min_length=1)] = Field(
        description="particles by name, in the layout of SPANet"
    )
    exchangeable: tuple[Names, ...] = Field((), description="sets of particles that no measurement tells apart")

    @model_validator(mode="after")
    def _particles_exist_and_are_alike(self) -> Self:
        _refuse_strangers(self.names, self.exchangeable, "particle")
        for group in self.exchangeable:
            if any(self.particles[name] != self.particles[group[0]] for name in group):
                raise ValueError(f"exchangeable: {list(group)} do not decay alike")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the particles, in order."""
        return tuple(self.particles)

    @property
    def symmetries(self) -> list[tuple[int, ...]]:
        """Permutations of the particles that leave an event what it is."""
        return symmetry_group(self.names, self.exchangeable)

    @property
    def targets(self) -> list[tuple[str, str]]:
        """Pairs of particle and daughter, in order: the columns of a table of assignments."""
        return [(name, daughter) for name, particle in self.particles.items() for daughter in particle.daughters]

    @property
    def jets(self) -> int:
        """Jets that a full assignment needs."""
        return len(self.targets)

    @property
    def is_all_hadronic_top_pair(self) -> bool:
        """Whether chi-square applies: two exchangeable particles that decay to b and two exchangeable quarks."""
        return self == ALL_HADRONIC_TOP_PAIR


_TOP = ParticleTopology(daughters=("b", "q1", "q2"), exchangeable=(("q1", "q2"),))
ALL_HADRONIC_TOP_PAIR = EventTopology(particles={"t1": _TOP, "t2": _TOP}, exchangeable=(("t1", "t2"),))
