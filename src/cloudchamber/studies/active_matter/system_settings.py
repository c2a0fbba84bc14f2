"""Settings of what is simulated: systems of active particles, and the snapshots that are kept of them."""

from abc import ABC
from collections.abc import Mapping
from math import pi, sqrt
from typing import Annotated, Any, Literal, Self, final

from pydantic import AfterValidator, Field, model_validator

from cloudchamber.settings.base import Different, PositiveFloat, PositiveInt, Settings

__all__ = [
    "DisksSettings",
    "Drive",
    "DrivenRingSettings",
    "EnsembleSettings",
    "NotNegative",
    "PairOnRingSettings",
    "RotationSettings",
    "SpringsSettings",
    "SystemSettings",
    "TrapSettings",
    "other_dynamics",
]

NotNegative = Annotated[float, Field(ge=0)]
# So many digits of a drive come back from single precision, in which files have them.
_DIGITS = 6
# Quotients of decimal numbers differ from whole ones by rounding.
_WHOLE = 1e-6
# How many particles there are, and how densely: what a score can carry over to.
_CARRIES_OVER = ("particles", "packing_fraction")


def _stored(drive: float) -> float:
    if float(f"{drive:.{_DIGITS}g}") != drive:
        raise ValueError(f"a drive of more than {_DIGITS} digits is stored as another one")
    return drive


Drive = Annotated[float, Field(ge=0), AfterValidator(_stored)]


class _ActiveSettings(Settings, ABC):
    """Abstract: particles with an activity, an Ornstein-Uhlenbeck process that propels them."""

    rate: PositiveFloat = Field(description="gamma, one over the persistence time of the activity")
    diffusion: NotNegative = Field(description="epsilon, the diffusion constant of positions")


@final
class TrapSettings(_ActiveSettings):
    """T1: one active particle in a harmonic trap; its drive is the speed v0."""

    kind: Literal["trap"]
    stiffness: PositiveFloat = Field(description="A of the trap")


@final
class RotationSettings(Settings):
    """T2: an Ornstein-Uhlenbeck process in the plane that rotates; its drive is the frequency Omega."""

    kind: Literal["rotation"]
    stiffness: PositiveFloat = Field(description="k of the trap")
    diffusion: PositiveFloat = Field(description="T, the diffusion constant of both coordinates")


@final
class SpringsSettings(_ActiveSettings):
    """T3: active particles on a line, in a trap, each tied to each other one by a spring; the drive is the speed v0."""

    kind: Literal["springs"]
    particles: Annotated[int, Field(ge=2)] = Field(description="N")
    stiffness: PositiveFloat = Field(description="A of the trap")
    coupling: PositiveFloat = Field(
        description="kappa N, the stiffness of the springs of one particle together; it is what stays the same when N "
        "changes"
    )


@final
class DrivenRingSettings(Settings):
    """T4: one particle on a ring in a cosine potential; its drive is the constant force F."""

    kind: Literal["driven_ring"]
    barrier: NotNegative = Field(description="u0 of the potential u0 cos x")
    diffusion: PositiveFloat = Field(description="T, the diffusion constant")


@final
class PairOnRingSettings(_ActiveSettings):
    """Two active particles on a ring that repel each other: their relative coordinate. The drive is the speed v0."""

    kind: Literal["pair_on_ring"]
    strength: PositiveFloat = Field(2.5, description="k of the repulsion")
    sharpness: PositiveFloat = Field(7.5, description="beta of the softplus that smooths the repulsion")
    half_length: PositiveFloat = Field(8.0, description="W: the coordinate goes from -W to W, in radii of a particle")


@final
class DisksSettings(_ActiveSettings):
    """Active disks in the plane with soft repulsion, in a harmonic trap or in a periodic box. The drive is v0."""

    kind: Literal["disks"]
    particles: Annotated[int, Field(ge=2)] = Field(description="N")
    strength: PositiveFloat = Field(description="k of the repulsion")
    sharpness: PositiveFloat = Field(7.5, description="beta of the softplus that smooths the repulsion")
    cutoff: Annotated[float, Field(gt=2)] = Field(
        3.0, description="distance, in radii, beyond which the repulsion counts as zero; it is k ln(1 + e^(-beta)) / "
        "beta at 3 radii"
    )  # fmt: skip
    stiffness: NotNegative = Field(0.0, description="A of the trap; with 0 the disks are in a periodic box")
    packing_fraction: PositiveFloat | None = Field(None, description="phi of the periodic box, whose side it decides")

    @model_validator(mode="after")
    def _trap_or_box(self) -> Self:
        if (self.stiffness > 0) == (self.packing_fraction is not None):
            raise ValueError("either stiffness (a trap) or packing_fraction (a periodic box) must be given")
        if self.packing_fraction is not None:
            side = sqrt(self.particles * pi / self.packing_fraction)
            if side < 2 * self.cutoff:
                # A disk would also meet images of another one that are not the nearest.
                raise ValueError(
                    f"particles: the box of {self.particles} disks has a side of {side:.3g} radii, below twice the "
                    "cutoff"
                )
        return self


SystemSettings = Annotated[
    TrapSettings | RotationSettings | SpringsSettings | DrivenRingSettings | PairOnRingSettings | DisksSettings,
    Field(discriminator="kind"),
]


def other_dynamics(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return the parameters in which the dynamics of two systems differ, whatever their number of particles.

    Args:
        one, other: settings of a system, as keys and values.
    """
    return [key for key in sorted({*one, *other} - {*_CARRIES_OVER}) if one.get(key) != other.get(key)]


@final
class EnsembleSettings(Settings):
    """A simulation: trajectories of one system at some drives, and the snapshots that are kept of them."""

    title: str = Field(description="what figures and tables call it")
    system: SystemSettings = Field(description="drift, noise and geometry")
    drives: Annotated[tuple[Drive, ...], Field(min_length=1), Different] = Field(
        description="strengths of what drives the system out of equilibrium; 0 is the control in equilibrium"
    )
    trajectories: PositiveInt = Field(description="independent trajectories of each drive")
    step: PositiveFloat = Field(description="dt of the integrator")
    burn_in: PositiveFloat = Field(description="time before the first snapshot")
    spacing: PositiveFloat = Field(description="time between two snapshots")
    snapshots: PositiveInt = Field(description="of each trajectory")
    blocks: PositiveInt = Field(
        1, description="parts in time of a trajectory that count as independent, for uncertainties and splits"
    )

    @model_validator(mode="after")
    def _blocks_hold_snapshots(self) -> Self:
        if self.blocks > self.snapshots:
            raise ValueError("blocks: more parts in time than snapshots")
        if self.blocks * self.trajectories < 4:
            raise ValueError("trajectories: at least four blocks are needed to split and to measure uncertainties")
        return self

    @model_validator(mode="after")
    def _spacing_is_of_whole_steps(self) -> Self:
        # Rounded to steps it would be another one than the settings say; the burn-in is at least what they say.
        steps = self.spacing / self.step
        if round(steps) < 1 or abs(steps - round(steps)) > _WHOLE * steps:
            raise ValueError("spacing: must be a multiple of step")
        return self
