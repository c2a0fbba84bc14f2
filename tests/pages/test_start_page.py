"""The start page does what it says: its code runs from top to bottom, and so do its commands."""

import os
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from pages import blocks, commands, named_files
from project_copy import REPOSITORY

pytestmark = [pytest.mark.slow]

PAGE = REPOSITORY / "docs/index.md"
# Seconds and no network; the others set up an environment or run whole studies, which tests of their own do.
TRIED = ("ingest", "prepare", "train")


def run(folder: Path, *command: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(find_spec("pythia8mc") is None, reason="Pythia 8 has no wheel here")
def test_the_start_page_from_top_to_bottom(tmp_path: Path) -> None:
    process = '{"title": "top", "commands": ["Top:gg2ttbar = on"], "pt_hat": [600, 700], "events": 35}'
    simulate = ["simulate", "--name", "top", "--settings", process, "--seed", "1", "--output", "events.root"]
    run(tmp_path, sys.executable, "-m", "cloudchamber", *simulate)
    code = "\n".join(block.text for block in blocks(PAGE) if block.language == "python")
    printed = run(tmp_path, sys.executable, "-c", code).splitlines()
    metrics = [line for line in printed if " +- " in line]
    assert len(metrics) == 2
    assert all("(floor " in line and "1000 true and 1000 generated" in line for line in metrics)
    assert (tmp_path / "jets.h5").is_file()
    for name, text in named_files(PAGE).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    tried = []
    for block in blocks(PAGE):
        for command in commands(block) if block.language == "sh" else ():
            program, *arguments = shlex.split(command)
            if program == "cloudchamber" and arguments[0] in TRIED:
                run(tmp_path, sys.executable, "-m", "cloudchamber", *arguments)
                tried.append(arguments[0])
    assert tuple(tried) == TRIED
    sampled = "import cloudchamber as cc; print(len(cc.load_model('model').sample(cc.read_clouds('prepared.h5')[:5])))"
    assert run(tmp_path, sys.executable, "-c", sampled).strip() == "5"
