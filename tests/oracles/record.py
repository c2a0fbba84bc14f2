"""Record what jetnet and energyflow compute, for tests of the project's own code.

Both need numpy 1 and so an environment of their own (README.md). From the root of the repository:

    PYTHONPATH=tests python -m oracles.record
"""

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
from energyflow.emd import emds
from jetnet.evaluation import cov_mmd, fpd, get_fpd_kpd_jet_features, kpd, w1efp, w1m, w1p
from jetnet.evaluation import gen_metrics as jetnet_metrics
from oracles.features import DRAW_SEED, FPD_BATCHES, FPD_SIZES, KPD_BATCHES, KPD_SIZE, feature_samples

OUTPUT = Path(__file__).parents[1] / "data/oracles"
COLUMNS = ("eta_rel", "phi_rel", "pt_rel")


class _Everything:
    """In place of jetnet's generator: a "random choice" is the whole sample, once."""

    @staticmethod
    def choice(n: int, size: int) -> np.ndarray:
        return np.arange(n)


def made_jets(rng: np.random.Generator, n_jets: int, width: int, slope: float) -> np.ndarray:
    """Return (n_jets, width, 3) jets in ``COLUMNS``, padded with zeros, with five decimals so that text is exact."""
    mask = np.arange(width) < rng.integers(2, width + 1, n_jets)[:, None]
    pt = rng.exponential(size=(n_jets, width)) ** slope * mask
    pt *= rng.uniform(0.85, 1.0, (n_jets, 1)) / pt.sum(axis=1, keepdims=True)
    angles = rng.normal(0.0, 0.15 * slope, (n_jets, width, 2)) * mask[:, :, None]
    return np.round(np.concatenate([angles, np.maximum(pt, 1e-5 * mask)[:, :, None]], axis=2), 5)


def write(name: str, content: dict[str, object]) -> None:
    """Write numbers with 13 digits, one jet a line."""

    def plain(value: object) -> object:
        if isinstance(value, (np.ndarray, list, tuple)):
            return [plain(item) for item in value]
        return float(f"{value:.13g}") + 0.0 if isinstance(value, (float, np.floating)) else value

    def text(value: object) -> str:
        values = plain(value)
        rows = isinstance(values, list) and values and isinstance(values[0], list)
        return "[\n" + ",\n".join(map(json.dumps, values)) + "\n]" if rows else json.dumps(values)

    lines = [f"{json.dumps(key)}: {text(value)}" for key, value in content.items()]
    (OUTPUT / name).write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


@contextmanager
def whole_samples() -> Iterator[None]:
    """Let jetnet use each jet once instead of drawing with replacement."""
    with mock.patch.object(jetnet_metrics, "rng", _Everything()):
        yield


def coverage_mmd() -> None:
    rng = np.random.default_rng(61)
    truth, generated = made_jets(rng, 40, 10, 1.0), made_jets(rng, 40, 10, 1.15)
    with whole_samples():
        coverage, mmd = cov_mmd(truth, generated, num_eval_samples=40, num_batches=1, use_tqdm=False)
    order = [COLUMNS.index(name) for name in ("pt_rel", "eta_rel", "phi_rel")]
    distances = emds(generated[:, :, order], truth[:, :, order])
    content = {"columns": COLUMNS, "truth": truth, "generated": generated, "coverage": coverage, "mmd": mmd}
    write("coverage_mmd.json", {**content, "emd_generated_truth": distances})


def jet_metrics() -> None:
    rng = np.random.default_rng(62)
    truth, generated = made_jets(rng, 40, 10, 1.0), made_jets(rng, 50, 10, 1.15)
    settings = {"num_eval_samples": 0, "num_batches": 1}
    with whole_samples():
        w1 = {
            "w1m": w1m(truth, generated, **settings)[0],
            "w1p": w1p(truth, generated, **settings)[0],
            "w1efp": w1efp(truth, generated, **settings, efp_jobs=1)[0],
        }
    polynomials = get_fpd_kpd_jet_features(generated, efp_jobs=1)
    jets = {"columns": COLUMNS, "truth": truth, "generated": generated}
    write("jet_metrics.json", {**jets, **w1, "generated_polynomials": polynomials})


def physics_distances() -> None:
    samples = feature_samples()
    content: dict[str, object] = {"means": {name: float(sample.mean()) for name, sample in samples.items()}}
    smallest, largest = FPD_SIZES
    for name in ("same", "wrong"):
        pair = samples["truth"], samples[name]
        content[f"fpd_{name}"] = fpd(
            *pair, min_samples=smallest, max_samples=largest, num_batches=FPD_BATCHES, seed=DRAW_SEED
        )
        # jetnet takes a new generator for each batch; one for all is what the tests can follow.
        with mock.patch.object(np.random, "default_rng", return_value=np.random.default_rng(DRAW_SEED)):
            content[f"kpd_{name}"] = kpd(*pair, num_batches=KPD_BATCHES, batch_size=KPD_SIZE)
    write("physics_distances.json", content)


def main() -> None:
    warnings.simplefilter("ignore", RuntimeWarning)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    coverage_mmd()
    jet_metrics()
    physics_distances()


if __name__ == "__main__":
    main()
