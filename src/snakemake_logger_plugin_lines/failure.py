"""What a failed job leaves on the screen: where it failed, why, and the end of its log."""

import re
from pathlib import Path

__all__ = ["end_of_log", "without_command"]

_LINES = 20
# A log opens with the command of the job, which belongs there and not on the screen.
_COMMAND = " -m cloudchamber "
_FAILED_COMMAND = re.compile(r"Command '.*' (?=returned non-zero|died with)", re.DOTALL)


def end_of_log(path: Path) -> list[str]:
    """Return the last lines of a log without the commands in it; a line that says so where there are none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["(not there)"]
    lines = [line for line in text.splitlines() if line.strip() and _COMMAND not in line]
    return lines[-_LINES:] or ["(empty)"]


def without_command(message: str) -> str:
    """Return Snakemake's message about a command that failed as one line without the command, any other as it is."""
    short, found = _FAILED_COMMAND.subn("the command ", message)
    return " ".join(short.split()) if found else message
