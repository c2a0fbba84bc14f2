"""From a Delphes file to clouds of jets: python delphes_to_clouds.py [FILE.root ...]

Without a file some top events are simulated first, by Pythia 8 (extra "simulation") and the detector of the project.
"""

import json
import subprocess
import sys
from pathlib import Path

import cloudchamber as cc


def simulated(folder: Path = Path("example_clouds")) -> list[str]:
    """Simulate events by the command line and return the file."""
    process = {"title": "top", "commands": ["Top:gg2ttbar = on"], "pt_hat": [600, 700], "events": 20}
    output = folder / "top.root"
    command = [sys.executable, "-m", "cloudchamber", "simulate", "--name", "top", "--settings", json.dumps(process)]
    done = subprocess.run([*command, "--seed", "1", "--output", str(output)], check=False)
    if done.returncode:
        # The command has said why.
        sys.exit(done.returncode)
    return [str(output)]


files = sys.argv[1:] or simulated()

# The ten lines: jets of towers with R = 0.8, in coordinates relative to their axes, and what they look like.
jets = cc.ingest(
    files,
    clouds={"kind": "reclustered", "constituents": "tower", "radius": 0.8, "pt_window": [450, 1000]},
    max_particles=30,
)
jets = cc.relative_jets(jets)
observables = cc.jet_observables(jets)
cc.write_clouds("example_clouds/jets.h5", jets)
print(f"{len(jets)} jets, points {jets.points.shape}, columns {[column.name for column in jets.point_columns]}")
print(f"median mass {sorted(observables['jet_mass'])[len(jets) // 2]:.0f} GeV, written to example_clouds/jets.h5")
