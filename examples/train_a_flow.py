"""Train a small flow on clouds, sample it and judge the sample: python train_a_flow.py

The jets are toys, made here; take your own cloud file in their place (delphes_to_clouds.py). Everything is written to
the folder example_flow. A training that is interrupted goes on where it was.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import cloudchamber as cc

FOLDER = Path("example_flow")


def toy_jets(n: int, seed: int) -> cc.Clouds:
    """Return n jets of two prongs, with 8 to 12 particles, in the columns that ``cloudchamber ingest`` writes."""
    rng = np.random.default_rng(seed)
    real = np.arange(12) < rng.integers(8, 13, n)[:, None]
    pt = -np.sort(-rng.exponential(40.0, (n, 12)) * real, axis=1)
    axes = rng.uniform(-1, 1, (2, n, 1))
    prong = np.where(rng.random((n, 12)) < 0.5, -0.15, 0.15)
    eta, phi = axes[0] + prong + rng.normal(0, 0.05, (n, 12)), axes[1] + rng.normal(0, 0.05, (n, 12))
    features = {"jet_pt": pt.sum(axis=1), "jet_eta": axes[0, :, 0], "jet_phi": axes[1, :, 0]}
    return cc.clouds_from_arrays(
        np.stack([pt, eta, phi], axis=2),
        real,
        point_columns=("pt", "eta", "phi"),
        features={**features, "jet_mass": 0.15 * features["jet_pt"]},
        labels={"file": np.zeros(n, int), "event": np.arange(n)},
    )


def cloudchamber(command: str, *arguments: object, **options: object) -> None:
    """Run a command of the package; settings are given as JSON."""
    given = [text for name, value in options.items() for text in (f"--{name}", _text(value))]
    done = subprocess.run([sys.executable, "-m", "cloudchamber", command, *map(str, arguments), *given], check=False)
    if done.returncode:
        # The command has said why.
        sys.exit(done.returncode)


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


flow = {
    "network": {"kind": "epic", "layers": 2, "hidden": 32, "latent": 8},
    "objective": {"kind": "flow_matching"},
    "training": {"steps": 300, "batch_size": 128, "learning_rate": 3e-3, "warmup_steps": 20, "ema_decay": 0.99},
}
cc.write_clouds(FOLDER / "jets.h5", toy_jets(3000, seed=1))
cloudchamber("prepare", FOLDER / "jets.h5", settings={}, seed=1, output=FOLDER / "prepared.h5")
outputs = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
files = {name: FOLDER / "model" / file for name, file in outputs.items()}
cloudchamber("train", FOLDER / "prepared.h5", settings=flow, seed=1, state=FOLDER / "state", **files)

model = cc.load_model(FOLDER / "model")
prepared = cc.read_clouds(FOLDER / "prepared.h5")
truth, train = (prepared.part(name) for name in ("test", "train"))
sample = model.sample(truth, seed=1, evaluations=16)
print("w1m, generated jets:", cc.w1m(truth, sample, train))
print("w1p, generated jets:", cc.w1p(truth, sample, train))
