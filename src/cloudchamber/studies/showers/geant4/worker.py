"""Geant4 in a process of its own: it is asked for showers, and ends with that process.

Geant4 aborts the process that it is in where it finds a fault, can have one run manager in it, and may crash while a
Python interpreter ends. None of this reaches the process that writes files.
"""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, final

from cloudchamber.errors import InputError
from cloudchamber.studies.showers.geant4.data_folder import geant4_package, version_of
from cloudchamber.studies.showers.geant4.stack_simulation import ShowerSteps, StackSimulation
from cloudchamber.studies.showers.geometry import geometry_of

__all__ = ["Geant4Worker", "geant4_worker"]


@final
class Geant4Worker:
    """Geant4, ready to simulate showers; made by :func:`geant4_worker`.

    Attributes:
        version: of Geant4.
    """

    def __init__(self, connection: Connection, process: Any) -> None:
        self._connection, self._process = connection, process
        self.version: str = self._answer("while it was made ready")

    def shower(self, pdg: int, energy: float, direction: Sequence[float]) -> tuple[ShowerSteps, float]:
        """Return the steps of a shower and the CPU time [s] that they took; arguments as of
        :meth:`StackSimulation.shower`.

        Raises:
            InputError: Geant4 ended.
        """
        self._connection.send((pdg, energy, tuple(direction)))
        steps, seconds = self._answer(f"at a particle of code {pdg} and {energy:.3g} GeV")
        return steps, seconds

    def _answer(self, when: str) -> Any:
        try:
            answer = self._connection.recv()
        except EOFError:
            self._process.join()
            raise InputError(
                f"Geant4 ended {when}, with status {self._process.exitcode}; what it said stands above"
            ) from None
        if isinstance(answer, BaseException):
            raise answer
        return answer


@contextmanager
def geant4_worker(folder: Path, geometry: str, theta_max: float, range_cut: float, seed: int) -> Iterator[Geant4Worker]:
    """Start Geant4 in a process of its own, which ends with the block.

    Args:
        folder: of its data.
        geometry: name of the stack of layers.
        theta_max, range_cut, seed: as of :class:`StackSimulation`.

    Raises:
        InputError: the package is not installed, or Geant4 cannot be made ready.
    """
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, folder, geometry, theta_max, range_cut, seed), daemon=True)
    process.start()
    # The other end is in the other process alone, so that its end is noticed.
    there.close()
    try:
        yield Geant4Worker(here, process)
    finally:
        here.close()
        process.terminate()
        process.join()


def _serve(connection: Connection, folder: Path, geometry: str, theta_max: float, range_cut: float, seed: int) -> None:
    try:
        package = geant4_package(folder)
        simulation = StackSimulation(package, geometry_of(geometry), theta_max, range_cut, seed)
        connection.send(version_of(package))
        while True:
            pdg, energy, direction = connection.recv()
            begin = time.process_time()
            steps = simulation.shower(pdg, energy, direction)
            connection.send((steps, time.process_time() - begin))
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        # Nobody asks any more.
        pass
    except Exception as error:
        connection.send(error)
    finally:
        sys.stdout.flush()
        connection.close()
        os._exit(0)
