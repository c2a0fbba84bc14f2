"""Figures and tables of the report: their files, their inputs, how the report labels them."""

from collections.abc import Callable, Iterable
from typing import Any, final

from cloudchamber.pipeline.json_arguments import as_json, paths_in
from cloudchamber.pipeline.layout import Layout
from cloudchamber.settings.data import DatasetSettings

__all__ = ["FIGURES", "TABLES", "Drawings"]

FIGURES = {
    "Distributions": ("jet_features", "particle_features", "substructure"),
    "Conditions": ("jet_level", "requested", "conditioning"),
    "Metrics": ("divergences", "wasserstein", "jet_metrics", "log_posterior", "confusion"),
    "Cost": ("cost", "sampling_time", "solver_scan", "ode_sde"),
    "Jets": ("average_images", "cloud_gallery"),
    "Training": ("histories",),
}
TABLES = ("divergences", "wasserstein", "jet_metrics", "log_posterior", "cost", "sampling_time", "solver_scan")
# Figures that are drawn from the table of the study alone.
_OF_METRICS = ("divergences", "wasserstein", "jet_metrics", "log_posterior", "cost")


@final
class Drawings:
    """The figures and tables of one analysis. Those of a study exist once per data set, the others once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._settings = layout.settings

    def figures(self) -> list[tuple[str, str]]:
        """Return (category, name) of every figure."""
        left_out = self._left_out()
        of_study = [
            (category, figure) for category, figures in FIGURES.items() for figure in figures if figure not in left_out
        ]
        return [*of_study, *(("Data", figure) for figure in self._analysis_figures())]

    def tables(self) -> list[str]:
        left_out = self._left_out()
        return [*(table for table in TABLES if table not in left_out), "settings"]

    def _left_out(self) -> set[str]:
        """Return the figures and tables of what the settings do not ask for."""
        study = self._layout.study
        left_out: set[str] = set()
        if study.solver_scan is None:
            left_out |= {"solver_scan", "ode_sde"}
        elif not study.solver_scan.compares_ode_and_sde:
            left_out |= {"ode_sde"}
        if study.sampling_time is None:
            left_out |= {"sampling_time"}
        if not self._layout.has_jet_flow:
            left_out |= {"jet_level"}
        if not self._layout.twins():
            left_out |= {"requested", "conditioning"}
        return left_out

    def _analysis_figures(self) -> list[str]:
        truncation = ["truncation"] if self._ingested() else []
        return [*truncation, *(["detector_response"] if self._settings.detector_response else [])]

    def _ingested(self) -> dict[str, DatasetSettings]:
        """Return the data sets of the study that come as ROOT files: only those are truncated here."""
        datasets = {name: self._settings.datasets[name] for name in self._layout.study.datasets}
        return {name: data for name, data in datasets.items() if data.ingestion is not None}

    def figure(self, figure: str, suffix: str) -> str:
        """Return the pattern of a figure's file."""
        folder = self._layout.results if figure in self._analysis_figures() else self._layout.study_folder("{dataset}")
        return f"{folder}/figures/{figure}.{suffix}"

    def table_category(self, table: str) -> str:
        """Return where the report shows a table."""
        return "Settings" if table == "settings" else "Tables"

    def table(self, table: str, suffix: str) -> str:
        """Return the pattern of a table's file."""
        folder = self._layout.results if table == "settings" else self._layout.study_folder("{dataset}")
        return f"{folder}/tables/{table}.{suffix}"

    def drawing_log(self, name: str, suffix: str) -> str:
        """Return the pattern of the log of a figure or table; it has the wildcards of the output."""
        whole_analysis = name in (*self._analysis_figures(), "table_settings")
        return (
            f"{self._layout.logs}/draw/{name}.{suffix}"
            if whole_analysis
            else f"{self._layout.logs}/draw/{{dataset}}_{name}.{suffix}"
        )

    def labels(self, name: str) -> dict[str, str]:
        """Return how the report labels a figure or table."""
        data = {} if name in (*self._analysis_figures(), "settings") else {"data set": "{dataset}"}
        return {"shows": name.replace("_", " "), **data}

    def figure_inputs(self, figure: str) -> Callable[[Any], list[str]]:
        """Return the input function of a figure's rule."""
        return lambda wildcards: paths_in(self.figure_files(figure, wildcards))

    def figure_arguments(self, figure: str) -> Callable[[Any], str]:
        """Return the params function of a figure's rule."""
        return lambda wildcards: as_json(self.figure_files(figure, wildcards))

    def table_inputs(self, table: str) -> Callable[[Any], list[str]]:
        """Return the input function of a table's rule."""
        return lambda wildcards: paths_in(self.table_files(table, wildcards))

    def table_arguments(self, table: str) -> Callable[[Any], str]:
        """Return the params function of a table's rule."""
        return lambda wildcards: as_json(self.table_files(table, wildcards))

    def figure_files(self, figure: str, wildcards: Any) -> dict[str, Any]:
        """Return what one figure is drawn from, and no more."""
        if figure == "truncation":
            return self._truncation_files()
        if figure == "detector_response":
            return self._response_files()
        dataset = wildcards.dataset
        layout = self._layout
        head = self._head(dataset)
        truth = {"truth": layout.prepared(dataset), "truth_observables": layout.truth_observables(dataset)}
        match figure:
            case "histories":
                return {**head, "histories": self._histories(dataset)}
            case "confusion":
                return {**head, "models": self._models(dataset), "confusions": self._confusions(dataset)}
            case "sampling_time":
                return self._times(dataset)
            case "solver_scan" | "ode_sde":
                return self._scans(dataset)
            case "jet_level":
                return {**head, "truth": truth["truth"], **self._jets(dataset)}
            case "conditioning":
                measured = {"models": self._models(dataset), "metrics": layout.metrics}
                return {**head, **measured, "pairs": layout.twins()}
            case "requested":
                paired = {name for pair in layout.twins() for name in pair.values()}
                models = [entry for entry in self._models(dataset, "clouds", "observables") if entry["name"] in paired]
                return {**head, **truth, "models": models, "pairs": layout.twins()}
            case _ if figure in _OF_METRICS:
                return {**head, "models": self._models(dataset), "metrics": layout.metrics}
        return {**head, **truth, "models": self._models(dataset, "clouds", "observables")}

    def table_files(self, table: str, wildcards: Any) -> dict[str, Any]:
        """Return what one table is made from."""
        if table == "settings":
            return {"settings": self._settings.model_dump(mode="json")}
        dataset = wildcards.dataset
        if table == "sampling_time":
            return self._times(dataset)
        if table == "solver_scan":
            return self._scans(dataset)
        return {**self._head(dataset), "models": self._models(dataset), "metrics": self._layout.metrics}

    def _times(self, dataset: str) -> dict[str, Any]:
        return {
            **self._head(dataset),
            "models": self._models(dataset),
            "times": self._layout.sampling_time(dataset),
        }

    def _scans(self, dataset: str) -> dict[str, Any]:
        scan = self._layout.study.solver_scan
        scans = [
            {
                "name": model,
                "title": self._layout.study.models[model].title,
                "seed": self._layout.study.seeds_of(model)[0],
                "path": self._layout.solver_scan(dataset, model),
            }
            for model in (scan.models if scan else ())
        ]
        return {**self._head(dataset), "models": self._models(dataset), "scans": scans}

    def _jets(self, dataset: str) -> dict[str, Any]:
        layout = self._layout
        seeds = layout.jet_seeds()
        return {
            "jets": [{"seed": seed, "path": layout.jets(dataset, seed)} for seed in seeds],
            "comparisons": [{"seed": seed, "path": layout.jet_comparison(dataset, seed)} for seed in seeds],
        }

    def _head(self, dataset: str) -> dict[str, str]:
        return {"study": "jet_generation", "dataset": dataset, "title": self._settings.datasets[dataset].title}

    def _models(self, dataset: str, *files: str) -> list[dict[str, Any]]:
        kept = ("name", "title", "sampler", "seed", *files)
        return [{key: entry[key] for key in kept} for entry in self._layout.entries(dataset)]

    def _histories(self, dataset: str) -> list[dict[str, Any]]:
        return [
            {
                "name": model,
                "title": self._layout.study.models[model].title,
                "seed": seed,
                "path": f"{self._layout.model_folder(dataset, model, seed)}/history.csv",
            }
            for model in self._layout.trained_models()
            for seed in self._layout.study.seeds_of(model)
        ]

    def _confusions(self, dataset: str) -> list[dict[str, Any]]:
        folder = f"{self._layout.study_folder(dataset)}/log_posterior"
        return [{"seed": seed, "path": f"{folder}/seed{seed}_confusion.csv"} for seed in self._layout.study.seeds]

    def _response_files(self) -> dict[str, Any]:
        """Return the clouds of own and of real detector output, for each process whose real file is there."""
        processes = []
        for process, file in self._layout.real_files().items():
            folder = f"{self._layout.results}/detector_response/{process}"
            own, real = (
                {"clouds": f"{folder}/{name}.h5", "observables": f"{folder}/{name}_observables.h5"}
                for name in ("own", "real")
            )
            title = self._settings.processes[process].title
            processes.append({"name": process, "title": title, "own": own, "real": real if file else None})
        return {"processes": processes}

    def _truncation_files(self) -> dict[str, Any]:
        return {
            "datasets": [
                {"name": name, "title": dataset.title, "clouds": f"{self._layout.results}/clouds/{name}.h5"}
                for name, dataset in self._ingested().items()
            ]
        }

    def all_figures(self) -> list[str]:
        """Return the PNG of every figure; each has a PDF beside it."""
        return self._of_all_datasets(self.figure(figure, "png") for _, figure in self.figures())

    def all_tables(self) -> list[str]:
        """Return every table of the report."""
        return self._of_all_datasets(self.table(table, "html") for table in self.tables())

    def _of_all_datasets(self, patterns: Iterable[str]) -> list[str]:
        paths = [pattern.format(dataset=name) for pattern in patterns for name in self._layout.study.datasets]
        return list(dict.fromkeys(paths))
