"""What the trainings of a model say together of one drive of an ensemble: each quantity with its errors."""

from collections.abc import Iterator
from functools import partial
from typing import Any, final

import numpy as np

from cloudchamber.studies.active_matter.blocks import Mean, block_mean, combined, jackknife
from cloudchamber.studies.active_matter.crossing import crossed_square, left_out, plug_in_square, without_one
from cloudchamber.studies.active_matter.estimators import force_divergence
from cloudchamber.studies.active_matter.fields import Fields
from cloudchamber.studies.active_matter.score_checks import score_checks
from cloudchamber.studies.active_matter.score_model import ScoreModel
from cloudchamber.studies.active_matter.settings import MeasurementSettings
from cloudchamber.studies.active_matter.snapshots import Snapshots
from cloudchamber.studies.active_matter.velocities import divergence_of, drift_divergence, velocity_of

__all__ = ["MeasuredDrive"]


@final
class MeasuredDrive:
    """One drive of an ensemble, seen by all trainings of a model."""

    def __init__(
        self,
        settings: MeasurementSettings,
        data: Snapshots,
        rows: np.ndarray,
        drive: float,
        models: list[ScoreModel],
        seed: int,
    ) -> None:
        self.settings, self.data, self.chosen, self.drive, self.models = settings, data, rows, drive, models
        self.system = data.system
        self.states = data.states[rows].astype(np.float64)
        self.blocks = data.blocks[rows]
        self.diffusions, self.d = self.system.diffusions, self.system.dimensions
        self.drift = self.system.drift(self.states, drive)
        self.velocities = np.stack([velocity_of(model, self.states, drive) for model in models])
        self.exact = self.system.exact(drive)
        self.exact_velocity = None
        if self.exact is not None:
            self.exact_velocity = self.drift - self.diffusions * self.exact.score(self.states)
        self.few = min(len(rows), settings.divergence_snapshots, max(1, 500_000 // self.system.particles))
        self.divergences = np.stack(
            [divergence_of(model, self.states[: self.few], drive, settings, seed) for model in models]
        )

    def groups(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield names and channels of what the entropy production is split into, the total first."""
        noisy = self.diffusions > 0
        of_positions = np.arange(self.system.channels) < self.d
        if noisy.all():
            yield "", noisy
        if self.system.rate is not None:
            for name, channels in (("positions", of_positions & noisy), ("activities", ~of_positions)):
                if channels.any():
                    yield name, channels

    def rows(self, numbers: list[int]) -> Iterator[dict[str, Any]]:
        yield from self._productions(numbers)
        yield from self._regions()
        yield from self._divergences()
        yield from self._errors()
        if self.system.diffusion == 0:
            yield from self._identity()
        if self.diffusions.min() > 0:
            mean = self.velocities.mean(axis=0)
            score = (self.drift - mean) / self.diffusions
            few = slice(self.few)
            drift_slopes = drift_divergence(self.data, self.states[few], self.drive)
            divergence = self.divergences.mean(axis=0)
            for name, value in score_checks(
                self.states[few],
                score[few],
                mean[few],
                divergence,
                drift_slopes,
                self.diffusions,
                self.blocks[few],
                0 if self.system.length is None else self.d,
            ):
                yield _row(name, "", value, exact=0.0, origin="identity")

    def _productions(self, numbers: list[int]) -> Iterator[dict[str, Any]]:
        square = crossed_square(self.velocities, self.diffusions)
        for feature, channels in self.groups():
            of_trainings = jackknife(left_out(self.velocities, self.diffusions, channels))
            mean = block_mean(square[..., channels].sum(axis=(1, 2)), self.blocks, of_trainings)
            exact, origin = self._exact_production(feature)
            yield _row("entropy_production", feature, mean, exact, origin)
        channels = self.diffusions > 0
        plugged = [
            plug_in_square(velocity, self.diffusions)[..., channels].sum(axis=(1, 2)) for velocity in self.velocities
        ]
        exact, origin = self._exact_production("" if channels.all() else "activities")
        for number, values in zip(numbers, plugged, strict=True):
            yield _row("plug_in", "", block_mean(values, self.blocks), exact, origin) | {"seed": number}
        bounds = self._bounds(channels)
        whole = block_mean(bounds.mean(axis=0), self.blocks[: self.few], np.nan_to_num(combined(bounds.mean(axis=1))))
        yield _row("lower_bound", "", whole, exact, origin)

    def _bounds(self, channels: np.ndarray) -> np.ndarray:
        """Return (K, M) 2 v . b / D + 2 div v - v D^-1 v: on average the entropy production less E[delta D delta]."""
        few = slice(self.few)
        inverse = np.divide(1.0, self.diffusions, out=np.zeros_like(self.diffusions), where=channels)
        terms = (2 * self.drift[few] - self.velocities[:, few]) * self.velocities[
            :, few
        ] * inverse + 2 * self.divergences
        found: np.ndarray = terms[..., channels].sum(axis=(2, 3))
        return found

    def _exact_production(self, feature: str) -> tuple[float | None, str]:
        if self.exact is None:
            return None, ""
        of = {"": self.exact.entropy_production, "positions": self.exact.share_of_positions}
        rest = self.exact.entropy_production - self.exact.share_of_positions
        return of.get(feature, rest), self.exact.origin

    def _regions(self) -> Iterator[dict[str, Any]]:
        """Yield the entropy production of a particle in each region; of activities alone where positions have no
        noise."""
        names, region = self.system.regions(self.states[..., : self.d])
        local = crossed_square(self.velocities, self.diffusions).sum(axis=2)
        exact = None
        if self.exact_velocity is not None:
            exact = np.nansum(plug_in_square(self.exact_velocity, self.diffusions), axis=2)
        for number, name in enumerate(names):
            inside = region == number
            share = inside.mean()
            if not share:
                continue
            of_trainings = jackknife(without_one(self.velocities, partial(self._inside, inside=inside)) / share)
            mean = block_mean((local * inside).mean(axis=1) / share, self.blocks, of_trainings)
            known = None if exact is None else float((exact * inside).mean() / share)
            yield _row(
                "local_production", name, mean, known, "exact score on the same snapshots" if exact is not None else ""
            )

    def _inside(self, velocities: np.ndarray, inside: np.ndarray) -> float:
        return float((crossed_square(velocities, self.diffusions).sum(axis=2) * inside).mean())

    def _divergences(self) -> Iterator[dict[str, Any]]:
        blocks = self.blocks[: self.few]
        known = None if self.exact is None else self.exact.position_divergence
        for feature, channels in self.groups():
            values = self.divergences[..., channels].sum(axis=(2, 3))
            mean = block_mean(values.mean(axis=0), blocks, np.nan_to_num(combined(values.mean(axis=1))))
            exact = 0.0 if feature == "" else known if known is None or feature == "positions" else -known
            origin = "identity" if feature == "" else self.exact.origin if self.exact and exact is not None else ""
            yield _row("divergence", feature, mean, exact, origin)

    def _errors(self) -> Iterator[dict[str, Any]]:
        """Yield the error of the score of one training relative to the exact one, both in the norm of D."""
        if self.exact is None or self.exact_velocity is None:
            return
        inside = np.isfinite(self.exact_velocity).all(axis=(1, 2))
        score = np.square(self.exact.score(self.states)[inside]) * self.diffusions
        scale = score.sum(axis=(1, 2)).mean()
        wrong = np.square(self.velocities[:, inside] - self.exact_velocity[inside]) / self.diffusions
        squares = wrong.sum(axis=(2, 3)) / scale
        errors = np.sqrt(squares.mean(axis=1))
        mean = block_mean(squares.mean(axis=0), self.blocks[inside])
        value = float(errors.mean())
        spread = float(np.nan_to_num(combined(errors)))
        yield _row(
            "score_error", "", Mean(value, mean.of_blocks / (2 * value), spread, mean.blocks, mean.snapshots), 0.0
        )

    def _identity(self) -> Iterator[dict[str, Any]]:
        """Yield both sides of E[div_x F] = -E[div_g v_g], per particle; without noise of positions nothing else is
        exact."""
        slopes = force_divergence(self.data, self.chosen)
        if slopes is None:
            return
        rate, number = self.system.rate, self.system.particles
        assert rate is not None
        sides = block_mean(slopes.mean(axis=1), self.blocks)
        yield _row("force_divergence", "", sides)
        scores = (self.drift - self.velocities)[..., self.d :] / rate
        one = np.ones(scores.shape[-1])
        of_squares = rate * (crossed_square(scores, one).sum(axis=(1, 2)) / number - self.d)
        of_trainings = jackknife(
            without_one(scores, lambda rest: rate / number * float(crossed_square(rest, one).sum(axis=(1, 2)).mean()))
        )
        squares = block_mean(of_squares, self.blocks, of_trainings)
        yield _row("flow_divergence", "from E[s . s]", squares, -sides.value, "sample")
        values = self.divergences[..., self.d :].sum(axis=(2, 3)) / number
        mean = block_mean(values.mean(axis=0), self.blocks[: self.few], np.nan_to_num(combined(values.mean(axis=1))))
        yield _row("flow_divergence", "from div v", mean, -sides.value, "sample")

    def fields(self) -> Fields:
        kept = slice(min(self.few, max(1, self.settings.kept // self.system.particles)))
        grid = _grid(self.states) if self.states[0].size == 2 else None
        on_grid = exact_on_grid = None
        if grid is not None:
            on_grid = np.mean([velocity_of(model, grid, self.drive) for model in self.models], axis=0)
            if self.exact is not None:
                exact_on_grid = self.system.drift(grid, self.drive) - self.diffusions * self.exact.score(grid)
        names, region = self.system.regions(self.states[kept][..., : self.d])
        return Fields(
            self.states[kept],
            self.velocities[:, kept],
            None if self.exact_velocity is None else self.exact_velocity[kept],
            self.drift[kept],
            self.divergences[:, kept].mean(axis=0),
            region,
            grid,
            on_grid,
            exact_on_grid,
            {
                "names": list(self.system.names),
                "regions": list(names),
                "diffusions": self.diffusions.tolist(),
                "length": self.system.length,
                "dimensions": self.d,
                "parity": self.system.parity,
                "drive_symbol": self.system.drive_symbol,
            },
        )


def _grid(states: np.ndarray) -> np.ndarray:
    """Return (G * G, 1, 2) points on a grid over where the snapshots of one particle lie."""
    low, high = np.quantile(states[:, 0], [0.002, 0.998], axis=0)
    axes = [np.linspace(low[channel], high[channel], 48) for channel in range(2)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 1, 2)


def _row(quantity: str, feature: str, mean: Mean, exact: float | None = None, origin: str = "") -> dict[str, Any]:
    return {
        "quantity": quantity,
        "feature": feature,
        "seed": "",
        **mean.columns(),
        "exact": "" if exact is None else exact,
        "origin": origin,
        "blocks": mean.blocks,
        "snapshots": mean.snapshots,
    }
