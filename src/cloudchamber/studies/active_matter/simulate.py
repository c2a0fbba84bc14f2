"""The step that simulates: snapshots of trajectories as a file of clouds."""

import io
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np

from cloudchamber import seeds
from cloudchamber.cloud import Column
from cloudchamber.cloud_writer import CloudWriter, create_clouds
from cloudchamber.errors import DivergenceError, SettingsError
from cloudchamber.progress import Progress, progress
from cloudchamber.storage import provenance, write_bytes
from cloudchamber.studies.active_matter.dynamics import Dynamics, Walkers
from cloudchamber.studies.active_matter.system_settings import EnsembleSettings
from cloudchamber.studies.active_matter.systems.build import build_system
from cloudchamber.studies.active_matter.systems.stability import growth_of_step, production_of_step, slowest_time
from cloudchamber.studies.active_matter.systems.system import System
from cloudchamber.training.record import code_digest, state_folder

__all__ = ["simulate"]

# Seconds between two saved states.
_EVERY = 30.0
# Relative error of an entropy production by the step alone, from which on it is said.
_COARSE = 0.05
# Shares of the blocks of each drive.
_TRAIN, _VALIDATION = 0.6, 0.1


def simulate(settings: EnsembleSettings, seed: int, state: Path, output: Path) -> None:
    """Simulate an ensemble, or go on with a simulation that was ended; the result is the same to the last bit.

    The time between two snapshots is an interval with a random stream of its own. Every half a minute the trajectories
    and the snapshots since the last time are saved; a simulation with the same settings, seed and code takes them up.

    Args:
        settings: system, drives, times.
        seed: of the initial positions and of all noise.
        state: folder of saved states; what belongs to this simulation is removed at its end.
        output: file of clouds, one each snapshot: columns of points are the channels of the system, features the
            "drive" and "medium_entropy" (rate since the snapshot before), labels "trajectory", "snapshot" and "block".
            Blocks count as independent; the parts train, validation and test hold whole blocks.

    Raises:
        SettingsError: with this step a linear system has no stationary state.
        DivergenceError: the simulation is not finite any more.
        StorageError: a file cannot be written.
    """
    system = build_system(settings.system)
    identity: dict[str, Any] = {
        "settings": settings.model_dump(mode="json"),
        "seed": seed,
        "code": code_digest("studies.active_matter.simulate:simulate"),
    }
    folder = state_folder(state, identity)
    simulation = _Simulation(settings, system, seed, folder)
    record = provenance("active_matter simulate", identity["settings"], (), seed)
    columns = [Column(name) for name in system.names]
    features = (Column("drive"), Column("medium_entropy"))
    labels = (Column("trajectory"), Column("snapshot"), Column("block"))
    with create_clouds(output, system.particles, columns, features, labels) as writer:
        for snapshot, walkers in simulation.snapshots():
            simulation.write(writer, snapshot, walkers)
        for name, rows in simulation.parts().items():
            writer.add_indices(name, rows)
        writer.add_meta({"system": identity["settings"]["system"], "length": system.length, "provenance": record})
    shutil.rmtree(folder, ignore_errors=True)


@final
class _Simulation:
    def __init__(self, settings: EnsembleSettings, system: System, seed: int, folder: Path) -> None:
        self.settings, self.system, self.seed, self.folder = settings, system, seed, folder
        self.drives = np.repeat(np.array(settings.drives, float), settings.trajectories)
        self.steps = max(1, round(settings.spacing / settings.step))
        self.before = -(-round(settings.burn_in / settings.step) // self.steps)
        self.intervals = self.before + settings.snapshots
        self._refuse_unstable_step()
        self._say_coarse()
        self._say_correlated()

    def snapshots(self) -> Iterator[tuple[int, Walkers]]:
        """Yield the number of each snapshot and the trajectories there, from saved states as far as there are some."""
        dynamics = Dynamics(self.system, self.drives, self.settings.step)
        walkers, done = self._initial(), 0
        for saved in self._saved():
            with saved:
                for number in range(done, int(saved["interval"])):
                    if number >= self.before:
                        yield number - self.before, self._of(saved, f"_{number}")
                walkers, done = self._of(saved, ""), int(saved["interval"])
        fresh: dict[int, Walkers] = {}
        last = time.monotonic()
        unit = self.steps * self.system.particles * len(self.drives)
        with progress("simulation", self.intervals * unit, "particle steps", done=done * unit) as bar:
            for number in range(done, self.intervals):
                rng = seeds.generator(self.seed, "active_matter", "interval", number)
                walkers = self._interval(dynamics, walkers, rng, bar)
                self._refuse_divergence(walkers)
                if number >= self.before:
                    fresh[number] = walkers
                    yield number - self.before, walkers
                if time.monotonic() - last > _EVERY:
                    self._save(number + 1, walkers, fresh)
                    fresh, last = {}, time.monotonic()

    def _interval(self, dynamics: Dynamics, walkers: Walkers, rng: np.random.Generator, bar: Progress) -> Walkers:
        left = self.steps
        walkers = Walkers(walkers.state, np.zeros_like(walkers.entropy))
        while left:
            # Few enough for the progress to move.
            some = min(left, max(1, 2_000_000 // walkers.state.size))
            walkers = dynamics.advance(walkers, some, rng)
            bar.update(some * walkers.state.shape[0] * walkers.state.shape[1])
            left -= some
        return walkers

    def _refuse_unstable_step(self) -> None:
        """Refuse a step with which a linear system grows without bounds: long before it overflows it is no state."""
        for drive in self.settings.drives:
            largest = growth_of_step(self.system, drive, self.settings.step)
            if largest is not None and largest >= 1:
                raise SettingsError(
                    f"step: with {self.settings.step:g} and the drive {drive:g} the integrator grows by {largest:.3g} "
                    "in each step, without bounds; take a smaller one"
                )

    def _say_coarse(self) -> None:
        """Say where the states of so coarse a step, by an exact score, have another entropy production."""
        # In equilibrium the exact value is zero, and any is beside it.
        for drive in filter(None, self.settings.drives):
            sampled = production_of_step(self.system, drive, self.settings.step)
            exact = None if sampled is None else self.system.exact(drive)
            if sampled is None or exact is None:
                continue
            if abs(sampled - exact.entropy_production) > _COARSE * exact.entropy_production:
                sys.stderr.write(
                    f"active_matter simulate: WARNING: step: with {self.settings.step:g} and the drive {drive:g} an "
                    f"exact score of the snapshots gives an entropy production of {sampled:.4g}, the system has "
                    f"{exact.entropy_production:.4g}; take a smaller one\n"
                )

    def _say_correlated(self) -> None:
        """Say where the burn-in, or a block that counts as independent, is shorter than what is known to relax."""
        settings = self.settings
        known = [slowest_time(self.system, drive, settings.step) for drive in settings.drives]
        slowest = max((value for value in known if value is not None), default=0.0)
        block = settings.snapshots * settings.spacing / settings.blocks
        lasting = [("burn_in", settings.burn_in, "the first snapshots may not be stationary")]
        if settings.blocks > 1:
            lasting += [("blocks", block, "they are not independent, and uncertainties are too small")]
        for name, duration, what in lasting:
            # Times of a step are known to its order.
            if duration < 0.9 * slowest:
                sys.stderr.write(
                    f"active_matter simulate: WARNING: {name}: {duration:.4g} is shorter than the slowest relaxation "
                    f"time, {slowest:.3g}: {what}\n"
                )

    def _refuse_divergence(self, walkers: Walkers) -> None:
        # In single precision, in which files have them: beyond it a number would be stored as an infinite one.
        largest = np.finfo(np.float32).max
        rates = walkers.entropy / (self.steps * self.settings.step)
        if not all((np.abs(values) <= largest).all() for values in (walkers.state, rates)):
            raise DivergenceError(f"the simulation is not finite any more: a smaller step than {self.settings.step:g}")

    def _initial(self) -> Walkers:
        rng = seeds.generator(self.seed, "active_matter", "initial")
        return Walkers(self.system.initial(rng, len(self.drives)), np.zeros(len(self.drives)))

    def _save(self, interval: int, walkers: Walkers, fresh: dict[int, Walkers]) -> None:
        arrays: dict[str, Any] = {"interval": interval, "state": walkers.state, "entropy": walkers.entropy}
        for number, at in fresh.items():
            arrays |= {f"state_{number}": at.state, f"entropy_{number}": at.entropy}
        content = io.BytesIO()
        np.savez(content, **arrays)
        write_bytes(self.folder / f"interval_{interval:09d}.npz", content.getvalue())

    def _saved(self) -> Iterator[Any]:
        """Yield saved states in order, up to the first whose checksums are wrong."""
        for path in sorted(self.folder.glob("interval_*.npz")):
            try:
                with zipfile.ZipFile(path) as archive:
                    damaged = archive.testzip()
            except (OSError, zipfile.BadZipFile):
                return
            if damaged is not None:
                return
            yield np.load(path)

    @staticmethod
    def _of(saved: Any, suffix: str) -> Walkers:
        return Walkers(saved[f"state{suffix}"], saved[f"entropy{suffix}"])

    def write(self, writer: CloudWriter, snapshot: int, walkers: Walkers) -> None:
        number = len(self.drives)
        rates = walkers.entropy / (self.steps * self.settings.step)
        trajectory = np.arange(number)
        labels = np.stack([trajectory, np.full(number, snapshot), self._block(trajectory, snapshot)], axis=1)
        mask = np.ones((number, self.system.particles), bool)
        writer.append(walkers.state, mask, np.stack([self.drives, rates], axis=1), labels)

    def _block(self, trajectory: np.ndarray, snapshot: np.ndarray | int) -> np.ndarray:
        of_time = np.asarray(snapshot) * self.settings.blocks // self.settings.snapshots
        return trajectory * self.settings.blocks + of_time

    def parts(self) -> dict[str, np.ndarray]:
        """Return the rows of the three parts: of each drive the first blocks, those behind them, the last ones."""
        trajectory = np.tile(np.arange(len(self.drives)), self.settings.snapshots)
        snapshot = np.repeat(np.arange(self.settings.snapshots), len(self.drives))
        per_drive = self.settings.trajectories * self.settings.blocks
        place = self._block(trajectory, snapshot) % per_drive
        train = min(per_drive - 2, max(1, int(_TRAIN * per_drive)))
        validation = min(per_drive - 1, train + max(1, int(_VALIDATION * per_drive)))
        chosen = np.digitize(place, [train, validation])
        return {name: np.flatnonzero(chosen == part) for part, name in enumerate(("train", "validation", "test"))}
