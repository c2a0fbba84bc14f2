"""Stands for a training: on SIGTERM it saves and ends with status 143; started again it goes on from there."""

import signal
import sys
import time
from pathlib import Path
from types import FrameType


def save(number: int, frame: FrameType | None) -> None:
    time.sleep(2)
    state.write_text("saved")
    sys.exit(143)


attempts, output = Path("attempts/saves"), Path(sys.argv[1])
state = Path("attempts/state")
signal.signal(signal.SIGTERM, save)
with attempts.open("a") as file:
    file.write("saves\n")
if not state.exists():
    time.sleep(600)
output.write_text(f"saves {'whole' if state.read_text() == 'saved' else 'half'}\n")
