"""What the figures and tables of the jet-generation study are drawn from: each its files, and no more."""

from typing import Any, final

from cloudchamber.generative.plan import GenerationPlan
from cloudchamber.pipeline.paths import observables_of
from cloudchamber.settings.shared import SharedSettings

__all__ = ["DrawingFiles"]

# Figures that are drawn from the table of the study alone.
_OF_METRICS = ("divergences", "wasserstein", "jet_metrics", "log_posterior", "cost")


@final
class DrawingFiles:
    """Files of figures and tables of one data set.

    Args:
        plan: the models.
        analysis: titles of the data sets.
    """

    def __init__(self, plan: GenerationPlan, analysis: SharedSettings) -> None:
        self._plan, self._analysis = plan, analysis

    def of_figure(self, figure: str, dataset: str) -> dict[str, Any]:
        """Return what one figure is drawn from."""
        plan, head = self._plan, self._head(dataset)
        prepared = plan.paths.prepared(dataset)
        truth = {"truth": prepared, "truth_observables": observables_of(prepared)}
        match figure:
            case "truncation":
                title = self._analysis.datasets[dataset].title
                return {"datasets": [{"name": dataset, "title": title, "clouds": plan.paths.clouds(dataset)}]}
            case "histories":
                return {**head, "histories": self._histories(dataset)}
            case "confusion":
                return {**head, "models": self._models(dataset), "confusions": self._confusions(dataset)}
            case "sampling_time":
                return self._times(dataset)
            case "solver_scan" | "ode_sde":
                return self._scans(dataset, solvers=True)
            case "few_steps":
                return {**self._scans(dataset, solvers=True), "flow_maps": self._flow_maps(dataset)}
            case "jet_level":
                return {**head, "truth": prepared, **self._jets(dataset)}
            case "conditioning":
                measured = {"models": self._models(dataset), "metrics": plan.metrics}
                return {**head, **measured, "pairs": plan.twins()}
            case "requested":
                paired = {name for pair in plan.twins() for name in pair.values()}
                models = [entry for entry in self._models(dataset, "clouds", "observables") if entry["name"] in paired]
                return {**head, **truth, "models": models, "pairs": plan.twins()}
            case _ if figure in _OF_METRICS:
                return self.of_metrics(dataset)
        return {**head, **truth, "models": self._models(dataset, "clouds", "observables")}

    def of_table(self, table: str, dataset: str) -> dict[str, Any]:
        """Return what one table is made from."""
        if table == "sampling_time":
            return self._times(dataset)
        if table == "solver_scan":
            return self._scans(dataset)
        if table == "few_steps":
            return {**self.of_metrics(dataset), "flow_maps": self._flow_maps(dataset)}
        return self.of_metrics(dataset)

    def of_metrics(self, dataset: str) -> dict[str, Any]:
        """Return what is made from the table of the study alone."""
        return {**self._head(dataset), "models": self._models(dataset), "metrics": self._plan.metrics}

    def _head(self, dataset: str) -> dict[str, str]:
        return {"study": self._plan.study, "dataset": dataset, "title": self._analysis.datasets[dataset].title}

    def _models(self, dataset: str, *files: str) -> list[dict[str, Any]]:
        kept = ("name", "title", "sampler", "seed", *files)
        return [{key: entry[key] for key in kept} for entry in self._plan.entries(dataset)]

    def _times(self, dataset: str) -> dict[str, Any]:
        return {**self._head(dataset), "models": self._models(dataset), "times": self._plan.times(dataset)}

    def _flow_maps(self, dataset: str) -> list[dict[str, Any]]:
        """Return each flow map with its scan, its teacher and the sampler of it that spends most evaluations."""
        return [
            {
                "name": name,
                "title": model.title,
                "teacher": model.teacher,
                "teacher_sampler": self._plan.teacher_sampler(name),
                "path": self._plan.scan(dataset, name),
            }
            for name, model in self._plan.flow_maps().items()
        ]

    def _scans(self, dataset: str, solvers: bool = False) -> dict[str, Any]:
        """Return the scans; with ``solvers`` only those of models that have a choice of solvers."""
        settings = self._plan.settings
        left_out = set(self._plan.flow_maps()) if solvers else set()
        scans = [
            {
                "name": model,
                "title": settings.models[model].title,
                "seed": settings.seeds_of(model)[0],
                "path": self._plan.scan(dataset, model),
            }
            for model in (settings.solver_scan.models if settings.solver_scan else ())
            if model not in left_out
        ]
        return {**self._head(dataset), "models": self._models(dataset), "scans": scans}

    def _jets(self, dataset: str) -> dict[str, Any]:
        plan, seeds = self._plan, self._plan.jet_seeds()
        return {
            "jets": [{"seed": seed, "path": plan.jets(dataset, seed)} for seed in seeds],
            "comparisons": [{"seed": seed, "path": plan.jet_comparison(dataset, seed)} for seed in seeds],
        }

    def _histories(self, dataset: str) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "title": model.title,
                "seed": seed,
                "path": f"{self._plan.training_folder(dataset, name, seed)}/history.csv",
            }
            for name, model in self._plan.trained_models().items()
            for seed in self._plan.settings.seeds_of(name)
        ]

    def _confusions(self, dataset: str) -> list[dict[str, Any]]:
        plan = self._plan
        return [{"seed": seed, "path": plan.confusion(dataset, seed)} for seed in plan.settings.seeds]
