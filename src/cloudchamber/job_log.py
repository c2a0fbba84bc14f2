"""The first line of a job's log: its command, which can be pasted into a shell."""

import os
import shlex
import sys
from collections.abc import Sequence

from cloudchamber.launch import is_first_process, launcher

__all__ = ["log_command"]

_WISH = "CLOUDCHAMBER_LOGS_COMMAND"


def log_command(arguments: Sequence[str]) -> None:
    """Write the command on standard error where the environment asks for it, as the Snakefile does for its jobs.

    A command that a person types has its errors and nothing else there. Processes that this one starts do not write the
    command again. The interpreter is named in full, since a shell may have another one or none.

    Args:
        arguments: what stands behind ``cloudchamber``.
    """
    if os.environ.pop(_WISH, None) is None or not is_first_process():
        return
    path = os.environ.get("PYTHONPATH")
    packages = f"PYTHONPATH={shlex.quote(path)} " if path else ""
    interpreter = shlex.quote(sys.executable)
    sys.stderr.write(f"{packages}{launcher()}{interpreter} -m cloudchamber {shlex.join(arguments)}\n")
