"""Log posteriors of a classifier of generated samples and truth."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, final

import numpy as np

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.library.checks import mapping
from cloudchamber.library.jets import as_jets
from cloudchamber.library.measurement import Measurement
from cloudchamber.metrics.tables import read_table
from cloudchamber.settings.base import merged, parse
from cloudchamber.settings.metrics import FEWEST_JETS_PER_CLASS, LogPosteriorSettings

__all__ = ["LogPosterior", "nlp"]

# Those of the scale "default", which takes minutes; the number of jets is that of the smallest sample.
_TRAINING: Mapping[str, Any] = {
    "steps": 1000,
    "batch_size": 128,
    "learning_rate": 1e-3,
    "weight_decay": 1e-4,
    "gradient_clip": 10.0,
    "ema_decay": 0.99,
    "validate_every": 250,
    "save_every": 250,
}


@final
@dataclass(frozen=True)
class LogPosterior:
    """What a ParticleNet that was trained on all samples and truth says of one sample.

    Attributes:
        nlp: mean of -ln p(sample | jet) over unseen true jets; the floor is that of truth itself.
        nlp_generated_only: the same without a class of truth (arXiv 2310.00049); the floor is ln K of K perfect models.
        c2st_auc: area under the ROC curve of unseen truth against unseen jets of the sample; 0.5 is not told apart.
    """

    nlp: Measurement
    nlp_generated_only: Measurement
    c2st_auc: Measurement

    def __str__(self) -> str:
        return "\n".join(f"{name}: {getattr(self, name)}" for name in LogPosterior.__annotations__)


def nlp(
    truth: Any,
    samples: Mapping[str, Any],
    *,
    settings: Mapping[str, Any] | None = None,
    seed: int = 1,
    state: str | Path | None = None,
) -> dict[str, LogPosterior]:
    """Train a ParticleNet to tell samples and truth apart, and return what it says of each sample.

    It is the step ``cloudchamber log-posterior``. A score depends on who competes: compare those of one call only.

    Args:
        truth: (N, P, 3) eta_rel, phi_rel [rad] and pt_rel, zero in empty slots; or clouds of jets, which no model was
            trained on. One half trains the classifier, the other is scored.
        samples: such jets of each model, by name.
        settings: network, training and jets_per_class of the classifier (docs/settings); what is not there is as at the
            scale "default", with all jets that the smallest class has.
        seed: of everything random.
        state: folder in which an interrupted training is saved and gone on with; by default nothing is kept.

    Raises:
        InputError: an array is empty or has another shape, a number is not finite, a class has fewer than ten jets, or
            a sample is called truth or has a name that is no text.
        SettingsError: a setting is unknown or wrong.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    from cloudchamber.metrics.posterior_step import log_posterior

    if not mapping(samples, "samples"):
        raise InputError("samples: is empty: there is nothing to score")
    names: list[Any] = list(samples)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"samples: {name!r} is no name of a sample")
    true = as_jets(truth, "truth")
    drawn = {name: as_jets(jets, f"samples['{name}']") for name, jets in samples.items()}
    width = max(jets.width for jets in (true, *drawn.values()))
    fewest = min([(len(true) + 1) // 2, *map(len, drawn.values())])
    defaults = {"training": _TRAINING, "jets_per_class": max(fewest, FEWEST_JETS_PER_CLASS)}
    chosen = parse(LogPosteriorSettings, merged(defaults, mapping(settings, "settings")), "settings")
    with TemporaryDirectory(prefix="cloudchamber_") as made:
        folder = Path(made)
        test = replace(_widened(true, width), indices={"test": np.arange(len(true))}, meta={})
        write_clouds(folder / "truth.h5", test)
        paths = {}
        for number, (name, jets) in enumerate(drawn.items()):
            paths[name] = folder / f"sample{number}.h5"
            write_clouds(paths[name], replace(_widened(jets, width), indices={}, meta={}))
        outputs = {name: folder / f"{name}.csv" for name in ("output", "history", "confusion")}
        log_posterior(folder / "truth.h5", paths, chosen, seed, Path(state or folder / "state"), **outputs)
        table = read_table(outputs["output"], texts=("model",))
    found = {}
    for name in samples:
        rows = table[table["model"] == name].set_index("metric")
        found[name] = LogPosterior(*(_measurement(rows.loc[metric]) for metric in LogPosterior.__annotations__))
    return found


def _measurement(row: Any) -> Measurement:
    value, uncertainty, floor, of_floor = (
        float(row[name]) for name in ("value", "uncertainty", "floor", "floor_uncertainty")
    )
    return Measurement(value, uncertainty, floor, of_floor, int(row["n_reference"]), int(row["n_generated"]))


def _widened(jets: Clouds, width: int) -> Clouds:
    """Return jets with slots up to a common padded length, which classes must have."""
    missing = width - jets.width
    points = np.pad(jets.points, ((0, 0), (0, missing), (0, 0)))
    return replace(jets, points=points, mask=np.pad(jets.mask, ((0, 0), (0, missing))))
