"""The whole analysis: the only module that names the studies."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self, final

from pydantic import model_validator

from cloudchamber.entry_points import load_entry
from cloudchamber.errors import SettingsError
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.pipeline.study import Study
from cloudchamber.settings.base import parse, read_yaml
from cloudchamber.settings.data import SimulatedSource
from cloudchamber.settings.layers import layered
from cloudchamber.settings.shared import SharedSettings
from cloudchamber.sources import PACKAGE
from cloudchamber.studies.active_matter.settings import ActiveMatterSettings
from cloudchamber.studies.active_matter.study import ActiveMatter
from cloudchamber.studies.assignment.settings import AssignmentSettings
from cloudchamber.studies.assignment.study import Assignment
from cloudchamber.studies.gating.settings import GatingSettings
from cloudchamber.studies.gating.study import Gating
from cloudchamber.studies.jet_generation.settings import JetGenerationSettings
from cloudchamber.studies.jet_generation.study import JetGeneration
from cloudchamber.studies.macaron.settings import MacaronSettings
from cloudchamber.studies.macaron.study import Macaron
from cloudchamber.studies.neutrinos.settings import NeutrinosSettings
from cloudchamber.studies.neutrinos.study import Neutrinos
from cloudchamber.studies.neutron_stars.settings import NeutronStarsSettings
from cloudchamber.studies.neutron_stars.study import NeutronStars
from cloudchamber.studies.showers.settings import ShowersSettings
from cloudchamber.studies.showers.study import Showers
from cloudchamber.studies.tagging.settings import TaggingSettings
from cloudchamber.studies.tagging.study import Tagging

__all__ = [
    "STUDIES",
    "AnalysisSettings",
    "answers_of",
    "plan",
    "planned",
    "results_folder",
    "settings_of",
]

STUDIES: Mapping[str, type[Study]] = {
    study.name: study
    for study in (
        JetGeneration,
        Tagging,
        Gating,
        NeutronStars,
        Assignment,
        ActiveMatter,
        Showers,
        Macaron,
        Neutrinos,
    )
}


@final
class AnalysisSettings(SharedSettings):
    """Everything: the content of config.yaml, with that of configs/STUDY of each study below it."""

    jet_generation: JetGenerationSettings | None = None
    tagging: TaggingSettings | None = None
    gating: GatingSettings | None = None
    neutron_stars: NeutronStarsSettings | None = None
    assignment: AssignmentSettings | None = None
    active_matter: ActiveMatterSettings | None = None
    showers: ShowersSettings | None = None
    macaron: MacaronSettings | None = None
    neutrinos: NeutrinosSettings | None = None

    @model_validator(mode="after")
    def _names_exist(self) -> Self:
        for name, dataset in self.datasets.items():
            if isinstance(dataset.source, SimulatedSource) and dataset.source.process not in self.processes:
                raise ValueError(f"datasets.{name}.source.process: no process '{dataset.source.process}'")
        for process in self.detector_response.real_files if self.detector_response else ():
            if process not in self.processes:
                raise ValueError(f"detector_response.real_files: no process '{process}'")
        for study in self.studies:
            if study not in STUDIES:
                raise ValueError(f"studies: no study '{study}' among {sorted(STUDIES)}")
            if getattr(self, study) is None:
                raise ValueError(f"{study}: the study has no settings")
        for made in self.made():
            for needed in made.datasets():
                if needed not in self.datasets:
                    raise ValueError(f"{made.name}: no data set '{needed}' among {sorted(self.datasets)}")
        return self

    def made(self) -> list[Study]:
        """Return the studies that are asked for, in their order."""
        return [STUDIES[name](getattr(self, name), self) for name in self.studies]


def settings_of(config: Mapping[str, Any], root: Path) -> AnalysisSettings:
    """Return the settings of an analysis.

    Args:
        config: content of config.yaml and its overlays.
        root: folder of the project, where ``configs/STUDY/SCALE.yaml`` lie.

    Raises:
        SettingsError: one line with each wrong key.
    """
    return parse(AnalysisSettings, layered(config, root, list(STUDIES)), "configuration")


def plan(config: Mapping[str, Any], root: Path) -> Pipeline:
    """Return what the rules of an analysis ask for; arguments and errors as of :func:`settings_of`."""
    settings = settings_of(config, root)
    if not (root / "src" / PACKAGE.name).is_dir():
        return Pipeline(settings, settings.made(), f"{PACKAGE.parent}/")
    return Pipeline(settings, settings.made(), "src/" if root.resolve() == Path.cwd() else f"{root}/src/")


def planned(settings: Mapping[str, Any], source: str) -> Pipeline:
    """Return the plan of an analysis that has run.

    Args:
        settings: all of them, as the table of settings was made from.
        source: of them, for errors.

    Raises:
        SettingsError: one line with each key that this version does not know so.
    """
    parsed = parse(AnalysisSettings, settings, source)
    return Pipeline(parsed, parsed.made())


def results_folder(scale: str = "", root: Path = Path()) -> str:
    """Return the folder of all outputs of the analysis of a project.

    Args:
        scale: in place of that of config.yaml; empty for that one.
        root: folder of the project.

    Raises:
        SettingsError: the configuration is wrong.
    """
    config = read_yaml(root / "config.yaml")
    return settings_of({**config, **({"scale": scale} if scale else {})}, root).results


def answers_of(studies: Iterable[str]) -> dict[str, Callable[..., Any]]:
    """Return the functions that answer the questions of studies from their files, by the name of the study.

    Raises:
        SettingsError: there is no such study.
    """
    found = {}
    for name in studies:
        if name not in STUDIES:
            raise SettingsError(f"no study '{name}' among {sorted(STUDIES)}")
        found[name] = load_entry(STUDIES[name].answer_function)
    return found
