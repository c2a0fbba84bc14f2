"""What the assignment study asks of the pipeline."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, final

from cloudchamber.arguments import Commands
from cloudchamber.pipeline.card import Card, trainings_of_card
from cloudchamber.pipeline.data_sources import DataSources
from cloudchamber.pipeline.json_arguments import as_json, paths_in, settings_argument
from cloudchamber.pipeline.stamps import stamp
from cloudchamber.pipeline.study import Study
from cloudchamber.pipeline.training import Training
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.studies.assignment.commands import add
from cloudchamber.studies.assignment.drawings import FIGURES, TABLES
from cloudchamber.studies.assignment.plan import BACKGROUND, OWN, PUBLISHED, AssignmentPlan
from cloudchamber.studies.assignment.settings import AssignmentSettings, PartSettings

__all__ = ["Assignment"]


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
        self.plan = AssignmentPlan(self.name, settings, self.paths)

    @classmethod
    def add_commands(cls, commands: Commands) -> None:
        add(commands)

    def datasets(self) -> Iterable[str]:
        return [self.plan.settings.events, *([self.plan.settings.background] if self.plan.settings.background else [])]

    def own_files(self) -> Iterable[tuple[str, str, str]]:
        published = self.plan.published
        return (
            [(published, "events in the layout of SPANet", self.plan.events(PUBLISHED))]
            if published is not None
            else []
        )

    def trainings(self) -> Iterable[Training]:
        return self.plan.trainings()

    # What the rules ask for.

    def source(self, wildcards: Any) -> str:
        """Return what the events of a sample are collected from."""
        match wildcards.sample:
            case "published":
                assert self.plan.published is not None, "the sample is asked for where the file is given"
                return self.plan.published
            case "background":
                assert self.plan.settings.background is not None, "the sample is asked for where it is set"
                return self.paths.clouds(self.plan.settings.background)
        return self.paths.clouds(self.plan.settings.events)

    def source_stamp(self, wildcards: Any) -> str:
        """Return what changes when somebody replaces the file of published events."""
        return stamp([self.source(wildcards)] if wildcards.sample == PUBLISHED else [])

    def part_settings(self, wildcards: Any) -> str:
        published, topology = self.plan.settings.published, self.plan.settings.topology
        if wildcards.sample == PUBLISHED and published is not None:
            return settings_argument(PartSettings(topology=topology, folds=published.folds))
        if wildcards.sample == BACKGROUND:
            return settings_argument(PartSettings(topology=topology, test_only=True))
        return settings_argument(self.plan.settings.parts)

    def events_needed(self, wildcards: Any) -> str:
        """Return the option with the fewest training events that serve all trainings on a sample."""
        curve = self.plan.settings.learning_curve
        if wildcards.sample == BACKGROUND:
            return ""
        sizes = curve.complete_events if curve is not None and wildcards.sample == OWN else (1,)
        return f"--complete-events {max(sizes)}"

    def chi_square_settings(self, wildcards: Any) -> str:
        return settings_argument(self.plan.settings.chi_square)

    def attention_events(self, wildcards: Any) -> int:
        return self.plan.settings.attention_events if wildcards.sample == OWN else 0

    def assigned(self, wildcards: Any) -> str:
        """Return the networks that assign the events of a sample, and which events, as JSON."""
        return as_json(self.plan.assigned(wildcards.sample))

    def assigned_files(self, wildcards: Any) -> list[str]:
        return paths_in(self.plan.assigned(wildcards.sample), self.paths.results)

    def cost_files(self, wildcards: Any) -> list[str]:
        return paths_in(self.plan.cost_models(), self.paths.results)

    def cost_argument(self, wildcards: Any) -> str:
        return as_json(self.plan.cost_models())

    def cost_settings(self, wildcards: Any) -> str:
        assert self.plan.settings.cost is not None, "the table is asked for where it is set"
        return settings_argument(self.plan.settings.cost)

    def judged(self, wildcards: Any) -> str:
        return as_json(self.plan.judged())

    def judged_files(self, wildcards: Any) -> list[str]:
        return paths_in(self.plan.judged(), self.paths.results)

    def evaluation_settings(self, wildcards: Any) -> str:
        return settings_argument(self.plan.settings.evaluation)

    # What is shown.

    def _titles(self) -> Mapping[str, Any]:
        """Return titles, what own events are where they are not simulated here, and the title of the background."""
        datasets, settings = self.analysis.datasets, self.plan.settings

        def simulated(name: str) -> bool:
            return DataSources(self.analysis, [name]).simulated(name)

        titles = self.plan.titles()
        if not simulated(settings.events):
            titles |= {"origin": f"files of the user: {datasets[settings.events].title}"}
        if settings.background is not None:
            origin = "own simulation" if simulated(settings.background) else "files of the user"
            titles |= {"background": f"{datasets[settings.background].title} ({origin})"}
        return titles

    def left_out(self) -> set[str]:
        settings = self.plan.settings
        left_out = set()
        if settings.learning_curve is None:
            left_out |= {"learning_curve"}
        if settings.background is None:
            left_out |= {"sculpting"}
        if settings.cost is None:
            left_out |= {"cost"}
        return left_out

    def figure_files(self, figure: str, dataset: str) -> Mapping[str, Any]:
        head = self._titles()
        match figure:
            case "masses" | "sculpting":
                return {**head, "masses": self.plan.tables["masses"]}
            case "calibration":
                return {**head, "calibration": self.plan.tables["calibration"]}
            case "attention":
                return {**head, "events": self.plan.events(OWN), "assignments": self.plan.assignments(OWN)}
            case "histories":
                titles = {name: model.title for name, model in self.plan.settings.models.items()}
                histories = [
                    {
                        "name": entry["name"],
                        "title": titles[entry["name"]],
                        "seed": entry["seed"],
                        "path": f"{self.paths.results}/{entry['folder']}/history.csv",
                    }
                    for entry in self.plan.own_models()
                ]
                return {"title": self.plan.settings.title, "histories": histories}
        return {**head, "metrics": self.plan.tables["metrics"]}

    def table_files(self, table: str, dataset: str) -> Mapping[str, Any]:
        if table == "cost":
            return {**self._titles(), "cost": self.plan.cost}
        name = "significance" if table == "significance" else "metrics"
        return {**self._titles(), name: self.plan.tables[name]}

    def answer_files(self) -> Mapping[str, Any]:
        return {**self._titles(), **{name: self.plan.tables[name] for name in ("metrics", "significance")}}

    def results(self) -> list[str]:
        exports = (
            [self.plan.export(entry["name"]) for entry in self.plan.first_models()] if self.plan.settings.export else []
        )
        cost = [self.plan.cost] if self.plan.settings.cost else []
        return [*self.plan.tables.values(), *cost, *(self.plan.events(name) for name in self.plan.collected), *exports]

    def cards(self) -> Iterable[Card]:
        """Return the card of each network on own events, all its seeds together."""
        events = self.plan.settings.events
        sources = DataSources(self.analysis, [events])
        titles = self.plan.titles()
        samples = list(titles["samples"])
        if self.plan.settings.background is not None:
            samples.append({"name": BACKGROUND, "title": self.analysis.datasets[self.plan.settings.background].title})
        for name, model in self.plan.settings.models.items():
            folders = {
                entry["seed"]: f"{self.paths.results}/{entry['folder']}"
                for entry in self.plan.own_models()
                if entry["name"] == name
            }
            files = {
                "study": self.name,
                "dataset": OWN,
                "dataset_title": titles["title"],
                "origin": sources.of_dataset(events),
                "simulated": sources.simulated(events),
                "name": name,
                "title": model.title,
                "events": self.plan.events(OWN),
                "samples": samples,
                "metrics": self.plan.tables["metrics"],
                "trainings": trainings_of_card(folders),
            }
            yield Card("assignment/network", self.name, name, {"model": name}, files)

    def exported(self, wildcards: Any) -> list[str]:
        """Return weights and description of what is exported."""
        entry = next(entry for entry in self.plan.own_models() if entry["name"] == wildcards.model)
        return [entry["weights"], entry["description"]]
