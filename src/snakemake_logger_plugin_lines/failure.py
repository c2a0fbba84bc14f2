"""What a failure leaves on the screen: where a job failed, the end of its log, and messages without what is no help."""

import re
from pathlib import Path

__all__ = ["end_of_command", "end_of_log", "without_command", "without_traceback"]

_LINES = 20
# A log opens with the command of the job, which belongs there and not on the screen.
_COMMAND = " -m cloudchamber "
_FAILED_COMMAND = re.compile(r"Command '.*' (?=returned non-zero|died with)", re.DOTALL)
# Snakemake reads --configfile before any file of the project, and ends in a traceback where it cannot.
_UNREAD_CONFIGFILE = re.compile(r"Traceback .* in load_configfile\n.*\[Errno \d+\] (.+): '(.+)'", re.DOTALL)


def end_of_log(path: Path) -> list[str]:
    """Return the last lines of a log without the commands in it; a line that says so where there are none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["(not there)"]
    lines = [line for line in text.splitlines() if line.strip() and _COMMAND not in line]
    return lines[-_LINES:] or ["(empty)"]


def end_of_command(message: str) -> str | None:
    """Return how the command of Snakemake's message ended, None where the message is not about one that failed."""
    found = _FAILED_COMMAND.search(message)
    return None if found is None else f"the command {message[found.end() :].strip()}"


def without_command(message: str) -> str:
    """Return Snakemake's message about a command that failed as one line without the command, any other as it is."""
    short, found = _FAILED_COMMAND.subn("the command ", message)
    return " ".join(short.split()) if found else message


def without_traceback(message: str) -> str:
    """Return the traceback of a configuration file that cannot be read as one line, any other message as it is."""
    found = _UNREAD_CONFIGFILE.match(message)
    return message if found is None else f"--configfile {found[2]}: {found[1]}"
