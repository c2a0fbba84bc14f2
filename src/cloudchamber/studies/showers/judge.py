"""The step ``judge``: classifiers that tell generated showers from true ones, and species from each other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cloudchamber import seeds
from cloudchamber.errors import InputError
from cloudchamber.metrics.posterior_scores import negative_log_posteriors
from cloudchamber.metrics.resampling import Estimate
from cloudchamber.metrics.shares import mean_share
from cloudchamber.metrics.trainings_apart import refuse_one_training
from cloudchamber.metrics.two_sample import area_under_curve
from cloudchamber.progress import progress
from cloudchamber.settings.entries import entries, need
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers.classifiers import cells_of, features_of, train_classifier
from cloudchamber.studies.showers.copies import fingerprints_of, say_true_showers
from cloudchamber.studies.showers.judged_showers import JudgedShowers, in_order_of, read_judged
from cloudchamber.studies.showers.names import FEWEST_JUDGED
from cloudchamber.studies.showers.seen_particles import say_other_particles
from cloudchamber.studies.showers.settings import ClassifierSettings, JudgeSettings
from cloudchamber.studies.showers.shower_file import open_showers, particles_of, refuse_other_showers

__all__ = ["judge"]

# Shares of the showers of both sides that a classifier is trained with, and watched on; the rest is scored.
_TRAIN, _VALIDATION = 0.6, 0.2


def judge(files: Mapping[str, Any], settings: JudgeSettings, seed: int, state: Path, output: Path) -> None:
    """Train classifiers and write what they say of each sample.

    "auc_features" and "auc_points": area under the ROC curve of a classifier that was trained to tell a sample from the
    part "test", on showers it has not seen; its floor is that of the part "asked" in place of the sample. "nlp": mean
    of -ln p(model | true shower) with truth among the classes; the floor is the value of truth. "species_accuracy":
    share of showers whose species is told right by a classifier that was trained on true showers; its floor is that of
    guessing, and the row of truth the ceiling. On standard error is said where showers of a sample are those of truth,
    or of particles of other energies or directions.

    Args:
        files: "showers", and "samples": a list of "name", "sampler", "seed" and "path".
        settings: classifiers.
        seed: of everything random.
        state: folder of the resumable states.
        output: CSV.

    Raises:
        InputError: a file cannot be used, or has too few showers.
        SettingsError: a key is missing, or seeds do not tell trainings apart.
        DivergenceError, StateError, TerminatedError: see :func:`cloudchamber.training.trainer.fit`.
    """
    path = Path(need(files, "showers"))
    listed = entries(files, "samples", ("name", "sampler", "seed", "path"))
    refuse_one_training(listed, "path", ("name", "sampler"))
    with open_showers(path, ("train", "test", "asked")) as showers:
        asked = showers.part("asked")
        particles = particles_of(showers, np.sort(asked))
        true = fingerprints_of(showers, np.concatenate([showers.part("test"), asked]))
        truth, floor, known = (
            read_judged(showers, showers.part(part), seeds.generator(seed, "showers", "judged cells", part))
            for part in ("test", "asked", "train")
        )
    samples = []
    for item in listed:
        with open_showers(item["path"]) as showers:
            refuse_other_showers(showers, path)
            say_true_showers("showers judge", showers, true, f"the parts 'test' and 'asked' of {path}")
            say_other_particles("showers judge", showers, particles, f"the part 'asked' of {path}")
            rng = seeds.generator(seed, "showers", "judged cells", item["name"], item["sampler"], item["seed"])
            ordered = in_order_of(asked, showers.label("shower"))
            samples.append((item, Path(item["path"]), read_judged(showers, ordered, rng)))
    for name, side in (("test", truth), ("asked", floor), *((str(p), s) for _, p, s in samples)):
        if len(side) < FEWEST_JUDGED:
            raise InputError(f"{path}: classifiers need {FEWEST_JUDGED} showers of '{name}', there are {len(side)}")
    kinds = {"features": settings.features} | ({"points": settings.points} if settings.points else {})
    rows: list[dict[str, Any]] = []
    with progress("classifiers", len(kinds) * (len(samples) + 1) + 2, "classifiers") as bar:
        for kind, chosen in kinds.items():
            least = _area(truth, floor, kind, chosen, seed, state / f"floor_{kind}", {"showers": path}, {"kind": kind})
            bar.update()
            for number, (item, of_sample, side) in enumerate(samples):
                # Samples of some species are told from true showers of these.
                same = truth.rows(np.flatnonzero(np.isin(truth.species, side.species)))
                sources = {"showers": path, "sample": of_sample}
                options = {"kind": kind, "number": number}
                folder = state / f"{number}_{kind}"
                value = _area(same, side, kind, chosen, seed, folder, sources, options)
                rows.append(_row(item, f"auc_{kind}", value, least, len(same), len(side)))
                bar.update()
        rows += _posteriors(truth, samples, settings.features, seed, state / "posterior", path)
        bar.update()
        if settings.species and len(np.unique(truth.species)) > 1:
            rows += _species(known, truth, samples, settings.features, seed, state / "species", path)
        bar.update()
    write_rows(output, rows)


def _area(
    truth: JudgedShowers,
    sample: JudgedShowers,
    kind: str,
    settings: ClassifierSettings,
    seed: int,
    state: Path,
    sources: dict[str, Path],
    options: dict[str, Any],
) -> Estimate:
    """Return the area under the curve of a classifier of two samples, on the showers that are left for it."""
    sides = [sample, truth]
    particles = [side.particles for side in sides]
    if kind == "points":
        clouds = cells_of([side.observables for side in sides], particles)
    else:
        clouds = features_of([side.observables.high_level for side in sides], particles)
    target = np.repeat([0, 1], [len(side) for side in sides])
    rng = seeds.generator(seed, "showers", "classifier parts")
    parts: list[list[np.ndarray]] = [[], [], []]
    for first, size in zip((0, len(sample)), (len(sample), len(truth)), strict=True):
        order = first + rng.permutation(size)
        ends = [round(_TRAIN * size), round((_TRAIN + _VALIDATION) * size)]
        for part, piece in zip(parts, np.split(order, ends), strict=True):
            part.append(piece)
    train, validation, scored = (np.concatenate(part) for part in parts)
    log_p = train_classifier(
        clouds, target, (train, validation), scored, kind == "points", settings, seed, state, sources, options
    )
    score = log_p[:, 1] - log_p[:, 0]
    return area_under_curve(score[target[scored] == 1], score[target[scored] == 0])


def _posteriors(
    truth: JudgedShowers,
    samples: list[tuple[Mapping[str, Any], Path, JudgedShowers]],
    settings: ClassifierSettings,
    seed: int,
    state: Path,
    path: Path,
) -> list[dict[str, Any]]:
    """Return the log posterior of the first sample of each model that has all species, with truth as a class."""
    first = {item["name"]: place for place, (item, *_) in reversed(list(enumerate(samples)))}
    everything = set(truth.species.tolist())
    chosen = [samples[place] for place in sorted(first.values())]
    chosen = [entry for entry in chosen if set(entry[2].species.tolist()) == everything]
    if not chosen:
        return []
    order = seeds.generator(seed, "showers", "posterior").permutation(len(truth))
    known, unseen = (truth.rows(np.sort(half)) for half in np.array_split(order, 2))
    number = min(len(known), *(len(side) for _, _, side in chosen))
    classes = [known.rows(np.arange(number)), *(side.rows(np.arange(number)) for _, _, side in chosen)]
    clouds = features_of(
        [*(side.observables.high_level for side in classes), unseen.observables.high_level],
        [*(side.particles for side in classes), unseen.particles],
    )
    target = np.repeat(np.arange(len(classes)), number)
    validation = np.arange(len(target)) % number >= round(0.8 * number)
    everyone = np.arange(len(target))
    scored = len(target) + np.arange(len(unseen))
    target = np.concatenate([target, np.zeros(len(unseen), np.int64)])
    sources = {"showers": path, **{str(place): entry[1] for place, entry in enumerate(chosen)}}
    parts = everyone[~validation], everyone[validation]
    log_p = train_classifier(
        clouds, target, parts, scored, False, settings, seed, state, sources, {"kind": "posterior"}
    )
    values = negative_log_posteriors(log_p)
    return [
        _row(entry[0], "nlp", value, values[0], len(unseen), number)
        for entry, value in zip(chosen, values[1:], strict=True)
    ]


def _species(
    known: JudgedShowers,
    truth: JudgedShowers,
    samples: list[tuple[Mapping[str, Any], Path, JudgedShowers]],
    settings: ClassifierSettings,
    seed: int,
    state: Path,
    path: Path,
) -> list[dict[str, Any]]:
    """Return how often the species of true and of generated showers is told right, by what was learned from training
    showers."""
    present = np.unique(known.species)
    sides = [known, truth, *(side for _, _, side in samples)]
    clouds = features_of([side.observables.high_level for side in sides], [side.particles[:, :2] for side in sides])
    species = np.concatenate([side.species for side in sides])
    target = np.minimum(np.searchsorted(present, species), len(present) - 1)
    order = seeds.generator(seed, "showers", "species").permutation(len(known))
    parts = np.split(order, [round(0.85 * len(known))])
    scored = np.arange(len(known), len(species))
    log_p = train_classifier(
        clouds,
        target,
        (parts[0], parts[1]),
        scored,
        False,
        settings,
        seed,
        state,
        {"showers": path, **{str(place): entry[1] for place, entry in enumerate(samples)}},
        {"kind": "species"},
    )
    right = present[log_p.argmax(axis=1)] == species[scored]
    ends = np.cumsum([len(side) for side in sides[1:]])
    guessing = Estimate(1 / len(present), 0.0)
    listed: list[Mapping[str, Any]] = [{"name": "truth", "sampler": "", "seed": 0}, *(item for item, *_ in samples)]
    return [
        _row(item, "species_accuracy", mean_share(some), guessing, len(truth), len(some))
        for item, some in zip(listed, np.split(right, ends[:-1]), strict=True)
    ]


def _row(
    item: Mapping[str, Any], metric: str, value: Estimate, floor: Estimate, reference: int, generated: int
) -> dict[str, Any]:
    return {
        "dataset": "all",
        "model": item["name"],
        "sampler": item["sampler"],
        "seed": item["seed"],
        "metric": metric,
        "feature": "",
        "value": value.value,
        "uncertainty": value.uncertainty,
        "floor": floor.value,
        "floor_uncertainty": floor.uncertainty,
        "n_reference": reference,
        "n_generated": generated,
    }
