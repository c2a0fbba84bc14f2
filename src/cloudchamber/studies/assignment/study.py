"""What the assignment study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.assignment.commands import add
from cloudchamber.studies.assignment.drawings import FIGURES, TABLES
from cloudchamber.studies.assignment.settings import AssignmentSettings, PartSettings

__all__ = ["Assignment"]

_OWN, _PUBLISHED, _BACKGROUND = "own", "published", "background"
# The part of the own sample; folds of the published one are called fold0, fold1, ...
_ALL = "all"


@final
class Assignment(Study):
    """Which jets belong to which top (arXiv 2010.09206, 2106.03898)?"""

    name: ClassVar[str] = "assignment"
    title: ClassVar[str] = "Assignment"
    question: ClassVar[str] = "Which jets come from which top, and does attention find them better than a chi-square?"
    answer_function: ClassVar[str] = "studies.assignment.answer:answers"
    picture: ClassVar[str] = "efficiency"
    stages: ClassVar[Mapping[str, str]] = {
        "collect": "studies.assignment.collect:collect_events",
        "train": "studies.assignment.train:train_assignment",
        "assign": "studies.assignment.assign:assign_events",
        "measure-cost": "studies.assignment.cost:measure_cost",
        "evaluate": "studies.assignment.evaluate:evaluate_assignments",
        "export": "studies.assignment.export:export_assignment",
    }
    figure_functions: ClassVar[Mapping[str, str]] = FIGURES
    table_functions: ClassVar[Mapping[str, str]] = TABLES

    def __init__(self, settings: AssignmentSettings, analysis: SharedSettings) -> None:
        super().__init__(settings, analysis)
        self._settings = settings
        self._published = self._published_file()
        self.cost = f"{self.folder}/times.csv"
        names = ("metrics", "significance", "masses", "calibration")
        self.tables_of = {name: f"{self.folder}/{name}.csv" for name in names}

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def _published_file(self) -> str | None:
        """Return the published events, where the settings or the environment name a file that is there."""
        published = self._settings.published
        path = None if published is None else published.path
        if path is not None and not Path(path).is_file():
            raise SettingsError(f"assignment.published.file: no such file: {path}")
        return path

    # What there is.

    @property
    def samples(self) -> list[str]:
        """Samples with tops."""
        return [_OWN, *([_PUBLISHED] if self._published else [])]

    @property
    def collected(self) -> list[str]:
        """All samples: values of the wildcard ``sample``."""
        return [*self.samples, *([_BACKGROUND] if self._settings.background else [])]

    def events(self, sample: str) -> str:
        return f"{self.folder}/{sample}/events.h5"

    def assignments(self, sample: str) -> str:
        return f"{self.folder}/{sample}/assignments.h5"

    def datasets(self) -> Iterable[str]:
        return [self._settings.events, *([self._settings.background] if self._settings.background else [])]

    def trainings(self) -> Iterable[Training]:
        for entry in (*self._own_models(), *self._curve_models(), *self._fold_models()):
            size = entry["training_events"]
            more = "" if size is None else f" --complete-events {size}"
            words = _PUBLISHED if entry["trained_on"] == _PUBLISHED else f"{size or 'all'} complete events"
            yield Training(
                command="assignment train",
                folder=entry["folder"],
                title=f"{self._settings.models[entry['name']].title}, {words}",
                source=self.events(entry["trained_on"]),
                settings=self._settings.training_of(entry["name"]),
                seed=entry["training_seed"],
                options=f"--part {entry['trained_part']}{more}",
            )

    def _model(self, name: str, sample: str, part: str, seed: int, size: int | None = None) -> dict[str, Any]:
        folder = f"{self.name}/models/{name}/{sample}/{size or part}/seed{seed}"
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

    def _own_models(self) -> list[dict[str, Any]]:
        settings = self._settings
        return [self._model(name, _OWN, _ALL, seed) for name in settings.models for seed in settings.seeds_of(name)]

    def _curve_models(self) -> list[dict[str, Any]]:
        curve = self._settings.learning_curve
        if curve is None:
            return []
        seeds = curve.seeds or self._settings.seeds_of(curve.model)
        return [self._model(curve.model, _OWN, _ALL, seed, size) for size in curve.complete_events for seed in seeds]

    def _fold_models(self) -> list[dict[str, Any]]:
        published = self._settings.published
        if published is None or self._published is None:
            return []
        return [
            self._model(name, _PUBLISHED, f"fold{fold}", self._settings.seeds_of(name)[0])
            for name, model in self._settings.models.items()
            if model.folds
            for fold in range(published.folds)
        ]

    # What the rules ask for.

    def source(self, wildcards: Any) -> str:
        """Return what the events of a sample are collected from."""
        match wildcards.sample:
            case "published":
                assert self._published is not None, "the sample is asked for where the file is given"
                return self._published
            case "background":
                assert self._settings.background is not None, "the sample is asked for where it is set"
                return self.paths.clouds(self._settings.background)
        return self.paths.clouds(self._settings.events)

    def source_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the file of published events."""
        return stamp([self.source(wildcards)] if wildcards.sample == _PUBLISHED else [])

    def part_settings(self, wildcards: Any) -> str:
        published, topology = self._settings.published, self._settings.topology
        if wildcards.sample == _PUBLISHED and published is not None:
            return settings_argument(PartSettings(topology=topology, folds=published.folds))
        if wildcards.sample == _BACKGROUND:
            return settings_argument(PartSettings(topology=topology, test_only=True))
        return settings_argument(self._settings.parts)

    def chi_square_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.chi_square)

    def attention_events(self, wildcards: Any) -> int:
        return self._settings.attention_events if wildcards.sample == _OWN else 0

    def assigned(self, wildcards: Any) -> str:
        """Return the networks that assign the events of a sample, and which events, as JSON."""
        return as_json(self._assigned(wildcards.sample))

    def assigned_files(self, wildcards: Any) -> list[str]:
        return paths_in(self._assigned(wildcards.sample), self.paths.results)

    def _assigned(self, sample: str) -> dict[str, Any]:
        keys = ("name", "seed", "trained_on", "training_events", "part", "weights", "description")
        # Of folds tested on other events each is a training of its own, told apart by a seed.
        folds = self._fold_models()
        if sample == _PUBLISHED:
            models = [{**entry, "part": None} for entry in self._own_models()]
            models += [{**entry, "part": entry["trained_part"]} for entry in folds]
        elif sample == _BACKGROUND:
            models = [{**entry, "part": None} for entry in self._own_models()]
        else:
            models = [{**entry, "part": _ALL} for entry in (*self._own_models(), *self._curve_models())]
            models += [
                {**entry, "part": _ALL, "seed": 1 + int(entry["trained_part"].removeprefix("fold"))} for entry in folds
            ]
        part = _ALL if sample == _OWN else None
        return {"part": part, "models": [{key: entry[key] for key in keys} for entry in models]}

    def cost_files(self, wildcards: Any) -> list[str]:
        return paths_in(self._cost_models(), self.paths.results)

    def cost_argument(self, wildcards: Any) -> str:
        return as_json(self._cost_models())

    def cost_settings(self, wildcards: Any) -> str:
        assert self._settings.cost is not None, "the table is asked for where it is set"
        return settings_argument(self._settings.cost)

    def _cost_models(self) -> dict[str, Any]:
        return {"models": [_chosen(entry, ("name", "weights", "description")) for entry in self._first_models()]}

    def _first_models(self) -> list[dict[str, Any]]:
        """Return the first training of each model on own events."""
        return list({entry["name"]: entry for entry in reversed(self._own_models())}.values())[::-1]

    def judged(self, wildcards: Any) -> str:
        return as_json(self._judged())

    def judged_files(self, wildcards: Any) -> list[str]:
        return paths_in(self._judged(), self.paths.results)

    def _judged(self) -> dict[str, Any]:
        entry = {
            name: {"name": name, "events": self.events(name), "assignments": self.assignments(name)}
            for name in self.collected
        }
        return {
            "samples": [entry[name] for name in self.samples],
            "background": entry.get(_BACKGROUND),
            "cost": self.cost if self._settings.cost else None,
        }

    def evaluation_settings(self, wildcards: Any) -> str:
        return settings_argument(self._settings.evaluation)

    # What is shown.

    def left_out(self) -> set[str]:
        settings = self._settings
        left_out = set()
        if settings.learning_curve is None:
            left_out |= {"learning_curve"}
        if settings.background is None:
            left_out |= {"sculpting"}
        if settings.cost is None:
            left_out |= {"cost"}
        return left_out

    def _head(self) -> dict[str, Any]:
        published = self._settings.published
        titles = {_OWN: "own events", _PUBLISHED: "" if published is None else published.title}
        return {
            "title": self._settings.title,
            "models": [{"name": name, "title": model.title} for name, model in self._settings.models.items()],
            "samples": [{"name": name, "title": titles[name]} for name in self.samples],
        }

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = self._head()
        match figure:
            case "masses" | "sculpting":
                return {**head, "masses": self.tables_of["masses"]}
            case "calibration":
                return {**head, "calibration": self.tables_of["calibration"]}
            case "attention":
                return {**head, "events": self.events(_OWN), "assignments": self.assignments(_OWN)}
            case "histories":
                titles = {name: model.title for name, model in self._settings.models.items()}
                histories = [
                    {
                        "name": entry["name"],
                        "title": titles[entry["name"]],
                        "seed": entry["seed"],
                        "path": f"{self.paths.results}/{entry['folder']}/history.csv",
                    }
                    for entry in self._own_models()
                ]
                return {"title": self._settings.title, "histories": histories}
        return {**head, "metrics": self.tables_of["metrics"]}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        if table == "cost":
            return {**self._head(), "cost": self.cost}
        name = "significance" if table == "significance" else "metrics"
        return {**self._head(), name: self.tables_of[name]}

    def answer_files(self) -> Mapping[str, Any]:
        return {**self._head(), **_chosen(self.tables_of, ("metrics", "significance"))}

    def results(self) -> list[str]:
        exports = [self.export(entry["name"]) for entry in self._first_models()] if self._settings.export else []
        cost = [self.cost] if self._settings.cost else []
        return [*self.tables_of.values(), *cost, *(self.events(name) for name in self.collected), *exports]

    def export(self, model: str) -> str:
        return f"{self.folder}/models/{model}/network.onnx"

    def exported(self, wildcards: Any) -> list[str]:
        """Return weights and description of what is exported."""
        entry = next(entry for entry in self._own_models() if entry["name"] == wildcards.model)
        return [entry["weights"], entry["description"]]


def _chosen(entry: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: entry[key] for key in keys}
