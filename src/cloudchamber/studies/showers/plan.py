"""What the study makes: where its files lie, and what models and samples are made from."""

from collections.abc import Iterator
from typing import Any, final

from cloudchamber.errors import InputError, SettingsError
from cloudchamber.studies.showers.model_settings import FlowMapModel, ShowerModel
from cloudchamber.studies.showers.settings import ShowersSettings
from cloudchamber.studies.showers.source_settings import FileSource, Geant4Source
from cloudchamber.studies.showers.species import SPECIES
from cloudchamber.wildcards import existing_files

__all__ = ["ShowersPlan", "trained"]

_NONE = "none"


@final
class ShowersPlan:
    """Files of the study.

    Args:
        settings: of the study.
        results: folder of all results.
        folder: of the study, in it.
    """

    def __init__(self, settings: ShowersSettings, results: str, folder: str) -> None:
        self.settings, self.results, self.folder = settings, results, folder
        self.showers, self.tables_of_geant4 = f"{folder}/showers.h5", f"{folder}/geant4_tables.json"
        self.judgements, self.times = f"{folder}/judgements.csv", f"{folder}/times.csv"
        self.tables = {name: f"{folder}/{name}.csv" for name in ("metrics", "profiles", "spectra")}

    # Raw data.

    def files_of_others(self) -> list[str]:
        """Return files that are there already; none where showers are simulated.

        Raises:
            SettingsError: one is not there.
        """
        source = self.settings.source
        if not isinstance(source, FileSource):
            return []
        try:
            return [str(path) for path in existing_files(source.files)]
        except InputError as error:
            raise SettingsError(f"showers.source.files: {error}") from None

    def raw(self) -> list[str]:
        """Return the ROOT files that are ingested."""
        source = self.settings.source
        if isinstance(source, FileSource):
            return self.files_of_others() if source.layout == "edm4hep" else []
        return [f"{self.folder}/raw/{shard}.root" for shard in range(source.gun.shards)]

    def times_of_geant4(self) -> list[str]:
        """Return the times of the showers that Geant4 simulates."""
        source = self.settings.source
        shards = source.gun.shards if isinstance(source, Geant4Source) else 0
        return [f"{self.folder}/raw/{shard}_times.csv" for shard in range(shards)]

    # Models.

    def species(self, model: str) -> list[list[str]]:
        """Return the species of each network of a model; one empty list for one network of all.

        Raises:
            SettingsError: the model has one for each species, and files do not say beforehand which they hold.
        """
        chosen = self.settings.models[model]
        if not isinstance(chosen, ShowerModel) or chosen.one_for == "all":
            return [[]]
        source = self.settings.source
        if not isinstance(source, FileSource):
            return [[name] for name in source.gun.species]
        codes = {item.pdg: name for name, item in SPECIES.items()}
        if source.pdg is not None:
            return [[codes[source.pdg]]]
        raise SettingsError(
            f"showers.models.{model}.one_for: files of all species do not say beforehand which they hold"
        )

    def trained_models(self) -> list[str]:
        """Return the models with weights."""
        return [n for n, m in self.settings.models.items() if isinstance(m, ShowerModel | FlowMapModel)]

    def training(self, model: str, seed: int, species: list[str]) -> str:
        """Return the folder of a training of a model."""
        name = f"{self.folder}/models/{model}/seed{seed}"
        return f"{name}/{species[0]}" if species else name

    def counts(self, seed: int) -> str:
        """Return the folder of a training of the numbers of points."""
        return f"{self.folder}/counts/seed{seed}"

    def below_results(self, folder: str) -> str:
        """Return a folder as trainings are named by: below that of all results."""
        return folder.removeprefix(f"{self.results}/")

    # Samples.

    def samplers(self, model: str) -> list[str]:
        """Return the samplers of a model."""
        chosen = self.settings.models[model]
        return list(chosen.samplers) if isinstance(chosen, ShowerModel | FlowMapModel) else [_NONE]

    def drawn_from(self, model: str, seed: int) -> dict[str, Any]:
        """Return what samples of a model are drawn from."""
        models = [
            {"species": species, **trained(self.training(model, seed, species))} for species in self.species(model)
        ]
        return {"models": models, "counts": trained(self.counts(seed))}

    def samples(self) -> Iterator[dict[str, Any]]:
        """Yield every sample: name, sampler, seed and path."""
        for name in self.settings.models:
            for sampler in self.samplers(name):
                for seed in self.settings.seeds_of(name):
                    path = f"{self.folder}/models/{name}/seed{seed}/{sampler}.h5"
                    yield {"name": name, "sampler": sampler, "seed": seed, "path": path}

    def timed(self) -> dict[str, Any]:
        """Return what times are measured of: models of all species with their first samplers, and Geant4."""
        listed = []
        for name in self.trained_models():
            model = self.settings.models[name]
            if isinstance(model, ShowerModel | FlowMapModel) and self.species(name) == [[]]:
                seed = self.settings.seeds_of(name)[0]
                sampler = next(iter(model.samplers))
                settings = model.samplers[sampler].model_dump(mode="json")
                files = trained(self.training(name, seed, []))
                listed.append({"name": name, "sampler": sampler, "settings": settings, **files})
        counts = trained(self.counts(self.settings.seeds[0]))
        return {"models": listed, "counts": counts, "geant4": self.times_of_geant4()}

    def histories(self) -> Iterator[dict[str, Any]]:
        """Yield the history of every training."""
        used = {seed for name in self.settings.models for seed in self.settings.seeds_of(name)}
        for seed in sorted(used):
            path = f"{self.counts(seed)}/history.csv"
            yield {"name": "counts", "title": "points per layer", "seed": seed, "path": path}
        for name in self.trained_models():
            for seed in self.settings.seeds_of(name):
                for species in self.species(name):
                    path = f"{self.training(name, seed, species)}/history.csv"
                    yield {"name": name, "title": self.settings.models[name].title, "seed": seed, "path": path}

    # What is shown.

    def arms(self) -> list[dict[str, Any]]:
        """Return the arms of the ablation, each beside what it is compared with; none where there is no ablation."""
        found = []
        for name, model in self.settings.models.items():
            if not isinstance(model, ShowerModel) or model.ablates is None:
                continue
            other = model.ablates
            found.append(
                {
                    "name": name,
                    "title": model.title,
                    "sampler": self.samplers(name)[0],
                    "reference": other,
                    "reference_title": self.settings.models[other].title,
                    "reference_sampler": self.samplers(other)[0],
                    "descriptions": self._descriptions(name),
                    "reference_descriptions": self._descriptions(other),
                }
            )
        return found

    def _descriptions(self, model: str) -> list[str]:
        seed = self.settings.seeds_of(model)[0]
        return [trained(self.training(model, seed, species))["description"] for species in self.species(model)]

    def head(self) -> dict[str, Any]:
        """Return what all figures and tables are made with."""
        models = [
            {
                "name": name,
                "title": model.title,
                "sampler": sampler,
                "seed": 0,
                "one_for": "species" if self.species(name) != [[]] else "all",
                "true_counts": self._has_true_counts(name, sampler),
            }
            for name, model in self.settings.models.items()
            for sampler in self.samplers(name)
        ]
        return {"title": self.settings.title, "source": self.settings.source.words, "models": models}

    def _has_true_counts(self, model: str, sampler: str) -> bool:
        """Return whether a sampler is given the numbers of points of true showers."""
        chosen = self.settings.models[model]
        return isinstance(chosen, ShowerModel | FlowMapModel) and chosen.samplers[sampler].counts == "truth"


def trained(folder: str) -> dict[str, str]:
    """Return the files of a training that samples need."""
    return {"weights": f"{folder}/weights.safetensors", "description": f"{folder}/model.json"}
