"""Judge generated jets against true ones: python judge_generated_jets.py [TRUTH.npy GENERATED.npy TRAIN.npy]

Each file holds an array (N, P, 3) of eta_rel, phi_rel [rad] and pt_rel (over the jet pT), zero in empty slots. The
floor of each number is the same metric for the jets of TRAIN, which are true, in place of the generated ones: a model
is as good as can be told where it is at the floor. Without files, toy jets are judged whose generated half is too wide.
"""

import sys

import numpy as np

import cloudchamber as cc


def toy_jets(rng: np.random.Generator, n: int, width: float) -> np.ndarray:
    """Return n jets of 5 to 20 particles, whose pT falls with their number and whose angles spread by ``width``."""
    counts = rng.integers(5, 21, n)
    real = np.arange(20) < counts[:, None]
    pt = -np.sort(-rng.exponential(1.0, (n, 20)) * real, axis=1)
    pt /= pt.sum(axis=1, keepdims=True)
    angles = rng.normal(0, width, (2, n, 20))
    return np.stack([*angles, pt], axis=2) * real[:, :, None]


if len(sys.argv) not in (1, 4):
    sys.exit("judge_generated_jets.py: expected TRUTH.npy GENERATED.npy TRAIN.npy, or nothing")
if len(sys.argv) == 4:
    truth, generated, train = (np.load(path) for path in sys.argv[1:])
else:
    rng = np.random.default_rng(1)
    truth, generated, train = (toy_jets(rng, 1500, width) for width in (0.20, 0.24, 0.20))

true, judged, other = (cc.jet_observables(jets) for jets in (truth, generated, train))
for name in ("jet_mass", "tau21", "multiplicity"):
    print(f"kl {name:13}", cc.kl(true[name], judged[name], other[name]))
print("w1m             ", cc.w1m(truth, generated, train))
print("w1p             ", cc.w1p(truth, generated, train))
print("fpd             ", cc.fpd(truth, generated, train))
print("coverage        ", cc.coverage(truth, generated, train))
print("copies of train ", cc.memorisation(train, truth, generated))
