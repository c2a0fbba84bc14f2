"""What the study makes: its samples, trainings and tests, and where their files lie."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, final

from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.paths import Paths
from cloudchamber.pipeline.training import Training
from cloudchamber.studies.assignment.settings import AssignmentSettings

__all__ = ["ALL", "BACKGROUND", "OWN", "PUBLISHED", "AssignmentPlan"]

OWN, PUBLISHED, BACKGROUND = "own", "published", "background"
# The part of the own sample; folds of the published one are called fold0, fold1, ...
ALL = "all"


@final
class AssignmentPlan:
    """Samples, networks and their files.

    Args:
        study: name of the study.
        settings: of the study.
        paths: of the analysis.

    Raises:
        SettingsError: the file of published events is not there.
    """

    def __init__(self, study: str, settings: AssignmentSettings, paths: Paths) -> None:
        self.study, self.settings, self.paths = study, settings, paths
        self.folder = paths.study(study)
        self.published = self._published_file()
        self.cost = f"{self.folder}/times.csv"
        names = ("metrics", "significance", "masses", "calibration")
        self.tables = {name: f"{self.folder}/{name}.csv" for name in names}

    def _published_file(self) -> str | None:
        """Return the published events, where the settings or the environment name a file that is there."""
        published = self.settings.published
        path = None if published is None else published.path
        if path is not None and not Path(path).is_file():
            raise SettingsError(f"assignment.published.file: no such file: {path}")
        return path

    @property
    def samples(self) -> list[str]:
        """Samples with tops."""
        return [OWN, *([PUBLISHED] if self.published else [])]

    @property
    def collected(self) -> list[str]:
        """All samples."""
        return [*self.samples, *([BACKGROUND] if self.settings.background else [])]

    def events(self, sample: str) -> str:
        """Return the events of a sample, with their parts."""
        return f"{self.folder}/{sample}/events.h5"

    def assignments(self, sample: str) -> str:
        """Return what all methods make of the events of a sample."""
        return f"{self.folder}/{sample}/assignments.h5"

    def export(self, model: str) -> str:
        """Return the first training of a model as ONNX."""
        return f"{self.folder}/models/{model}/network.onnx"

    def trainings(self) -> Iterable[Training]:
        """Return every training: on own events, with parts of them, and of the folds of published ones."""
        for entry in (*self.own_models(), *self._curve_models(), *self._fold_models()):
            size = entry["training_events"]
            more = "" if size is None else f" --complete-events {size}"
            words = PUBLISHED if entry["trained_on"] == PUBLISHED else f"{size or 'all'} complete events"
            yield Training(
                command="assignment train",
                folder=entry["folder"],
                title=f"{self.settings.models[entry['name']].title}, {words}",
                source=self.events(entry["trained_on"]),
                settings=self.settings.training_of(entry["name"]),
                seed=entry["training_seed"],
                options=f"--part {entry['trained_part']}{more}",
            )

    def _model(self, name: str, sample: str, part: str, seed: int, size: int | None = None) -> dict[str, Any]:
        folder = f"{self.study}/models/{name}/{sample}/{size or part}/seed{seed}"
        return {
            "name": name,
            "seed": seed,
            "training_seed": seed,
            "trained_on": sample,
            "trained_part": part,
            "training_events": size,
            "folder": folder,
            "weights": f"{self.paths.results}/{folder}/weights.safetensors",
            "description": f"{self.paths.results}/{folder}/model.json",
        }

    def own_models(self) -> list[dict[str, Any]]:
        """Return the trainings with all own events."""
        settings = self.settings
        return [self._model(name, OWN, ALL, seed) for name in settings.models for seed in settings.seeds_of(name)]

    def _curve_models(self) -> list[dict[str, Any]]:
        curve = self.settings.learning_curve
        if curve is None:
            return []
        seeds = curve.seeds or self.settings.seeds_of(curve.model)
        return [self._model(curve.model, OWN, ALL, seed, size) for size in curve.complete_events for seed in seeds]

    def _fold_models(self) -> list[dict[str, Any]]:
        published = self.settings.published
        if published is None or self.published is None:
            return []
        return [
            self._model(name, PUBLISHED, f"fold{fold}", self.settings.seeds_of(name)[0])
            for name, model in self.settings.models.items()
            if model.folds
            for fold in range(published.folds)
        ]

    def assigned(self, sample: str) -> dict[str, Any]:
        """Return the networks that assign the events of a sample, and which of the events."""
        keys = ("name", "seed", "trained_on", "training_events", "part", "weights", "description")
        # Of folds tested on other events each is a training of its own, told apart by a seed.
        folds = self._fold_models()
        if sample == PUBLISHED:
            models = [{**entry, "part": None} for entry in self.own_models()]
            models += [{**entry, "part": entry["trained_part"]} for entry in folds]
        elif sample == BACKGROUND:
            models = [{**entry, "part": None} for entry in self.own_models()]
        else:
            models = [{**entry, "part": ALL} for entry in (*self.own_models(), *self._curve_models())]
            models += [
                {**entry, "part": ALL, "seed": 1 + int(entry["trained_part"].removeprefix("fold"))} for entry in folds
            ]
        part = ALL if sample == OWN else None
        return {"part": part, "models": [{key: entry[key] for key in keys} for entry in models]}

    def cost_models(self) -> dict[str, Any]:
        """Return the networks whose time is measured."""
        keys = ("name", "weights", "description")
        return {"models": [{key: entry[key] for key in keys} for entry in self.first_models()]}

    def first_models(self) -> list[dict[str, Any]]:
        """Return the first training of each model on own events."""
        return list({entry["name"]: entry for entry in reversed(self.own_models())}.values())[::-1]

    def judged(self) -> dict[str, Any]:
        """Return what is judged: events and assignments of each sample, and the table of times."""
        entry = {
            name: {"name": name, "events": self.events(name), "assignments": self.assignments(name)}
            for name in self.collected
        }
        return {
            "samples": [entry[name] for name in self.samples],
            "background": entry.get(BACKGROUND),
            "cost": self.cost if self.settings.cost else None,
        }

    def titles(self) -> dict[str, Any]:
        """Return what the study, its models and its samples with tops are called."""
        published = self.settings.published
        titles = {OWN: "own events", PUBLISHED: "" if published is None else published.words}
        return {
            "title": self.settings.title,
            "models": [{"name": name, "title": model.title} for name, model in self.settings.models.items()],
            "samples": [{"name": name, "title": titles[name]} for name in self.samples],
        }
