"""Commands in processes of their own that need not import everything anew.

Importing torch, uproot and matplotlib takes seconds, which tests with hundreds of runs do not have. A server imports
them once and forks for each command. The child then does what ``python -m cloudchamber ARGUMENTS`` does, down to the
end of the interpreter, and can be limited, killed or given a fault.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import resource
import runpy
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, final

from cloudchamber.pipeline.stages import SHARED_STAGES

__all__ = ["Command", "CommandServer", "Fault", "Finished", "command_server"]

# Long enough for a busy machine; no command of the tests takes more than some seconds.
PATIENCE = 500.0
_IMPORTED = (
    "cloudchamber.cli",
    *sorted({f"cloudchamber.{entry.partition(':')[0]}" for entry in SHARED_STAGES.values()}),
)


@final
@dataclass(frozen=True)
class Fault:
    """What happens to a command instead of its ``call``-th call of a function of the standard library.

    Attributes:
        function: such as "os.replace".
        call: from 1.
        happens: "kill" (SIGKILL), "terminate" (SIGTERM, then the call), "after" (the call, then SIGKILL), or the
            number of an OSError.
    """

    function: str
    call: int
    happens: str | int


@final
@dataclass(frozen=True)
class Finished:
    """How a command ended: exit status, negative for a signal, and what it wrote to standard error."""

    status: int
    text: str

    @property
    def line(self) -> str:
        """The one line of an error; fails where there are more or a traceback."""
        assert "Traceback" not in self.text, self.text
        lines = [line for line in self.text.splitlines() if line.startswith("cloudchamber ")]
        assert len(lines) == 1, self.text
        return lines[0]


@final
class Command:
    """A running command; made by :meth:`CommandServer.start`."""

    def __init__(self, server: "CommandServer", pid: int) -> None:
        self._server, self.pid = server, pid
        self._status: int | None = None
        self._text = ""

    def running(self) -> bool:
        if self._status is None:
            answer = self._server.ask({"poll": self.pid})
            self._status, self._text = answer["status"], answer["text"]
        return self._status is None

    def wait(self, patience: float = PATIENCE) -> Finished:
        """Return how it ended; kill it and fail where it takes longer than ``patience`` seconds."""
        deadline = time.monotonic() + patience
        while self.running():
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"still running after {patience} s")
            time.sleep(0.002)
        assert self._status is not None
        return Finished(self._status, self._text)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.running(), f"ended before its time: {self._text}"
            assert time.monotonic() < deadline
            time.sleep(0.001)

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)


@final
class CommandServer:
    """Starts commands; made by :func:`command_server`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def start(
        self,
        arguments: Sequence[str | Path],
        *,
        largest_file: int | None = None,
        memory: int | None = None,
        fault: Fault | None = None,
        function: str | None = None,
    ) -> Command:
        """Start a command.

        Args:
            arguments: of the command line.
            largest_file: bytes after which writing a file fails as on a full disk.
            memory: bytes that it may take beyond what the imported packages have.
            fault: what happens to it.
            function: what to run instead of the command line, "module:name", called with the arguments.
        """
        request = {
            "arguments": [str(item) for item in arguments],
            "largest_file": largest_file,
            "memory": memory,
            "fault": None if fault is None else [fault.function, fault.call, fault.happens],
            "function": function,
        }
        return Command(self, self.ask(request)["pid"])

    def run(self, arguments: Sequence[str | Path], **options: Any) -> Finished:
        return self.start(arguments, **options).wait()

    def succeed(self, arguments: Sequence[str | Path], **options: Any) -> None:
        done = self.run(arguments, **options)
        assert done.status == 0, done.text


@contextmanager
def command_server(folder: Path) -> Iterator[CommandServer]:
    """Start a server in ``folder``."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    environment.pop("HDF5_USE_FILE_LOCKING", None)
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
    ) as process:
        try:
            yield CommandServer(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()


def _serve() -> dict[str, Any] | None:
    """Answer requests; return one in the child that is to carry it out, and None in the server at its end."""
    texts: dict[int, int] = {}
    for line in sys.stdin:
        request: dict[str, Any] = json.loads(line)
        if "poll" in request:
            pid, status = os.waitpid(request["poll"], os.WNOHANG)
            answer = {"status": None, "text": ""}
            if pid:
                with open(texts.pop(pid), encoding="utf-8", errors="replace") as text:
                    answer = {"status": os.waitstatus_to_exitcode(status), "text": text.read()}
        else:
            # A pipe holds 64 kB, more than a command says; a file would be subject to the limit of its size.
            read, write = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.dup2(write, 2)
                return request
            os.close(write)
            texts[pid] = read
            answer = {"pid": pid}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    return None


def _carry_out(request: Mapping[str, Any]) -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1):
        os.dup2(nothing, target)
    if request["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"], request["largest_file"]))
    if request["memory"] is not None:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + request["memory"]
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if request["fault"] is not None:
        _prepare_fault(*request["fault"])
    if request["function"] is not None:
        module, _, name = request["function"].partition(":")
        getattr(importlib.import_module(module), name)(*request["arguments"])
        return
    sys.argv = ["cloudchamber", *request["arguments"]]
    runpy.run_module("cloudchamber", run_name="__main__", alter_sys=True)


def _end(request: Mapping[str, Any]) -> NoReturn:
    """Carry out the request and end as the interpreter does, but for taking all modules apart, which takes seconds."""
    status = 0
    try:
        _carry_out(request)
    except SystemExit as error:
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stderr.flush()
    # With the handlers of C, among them that of HDF5.
    ctypes.CDLL(None).exit(status)
    raise AssertionError("exit returned")


def _prepare_fault(function: str, call: int, happens: str | int) -> None:
    module_name, _, name = function.rpartition(".")
    module = importlib.import_module(module_name)
    original = getattr(module, name)
    calls = 0

    def faulty(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls != call:
            return original(*arguments, **options)
        if isinstance(happens, int):
            raise OSError(happens, os.strerror(happens))
        if happens == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if happens == "terminate":
            os.kill(os.getpid(), signal.SIGTERM)
        result = original(*arguments, **options)
        if happens == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(module, name, faulty)


if __name__ == "__main__":
    for _name in _IMPORTED:
        importlib.import_module(_name)
    # What is frozen is not visited by the children, so that they share its memory.
    gc.freeze()
    _request = _serve()
    if _request is not None:
        _end(_request)
