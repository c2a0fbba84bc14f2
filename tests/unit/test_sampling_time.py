"""The measurement of sampling time: what is measured, in which order, and what is written."""

import csv
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cloudchamber.errors import SettingsError
from cloudchamber.generative.artifact import build_network, save_artifact
from cloudchamber.generative.sampling import Sampler
from cloudchamber.generative.sampling_time import sampling_time
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.base import parse
from cloudchamber.settings.generation import SamplingTimeSettings
from cloudchamber.settings.generators import GeneratorSettings

SETTINGS = SamplingTimeSettings(multiplicities=(3, 12), jets=8, rounds=3)
NAMES = ("small", "conditional", "gan")


def _model(folder: Path, name: str) -> dict[str, Any]:
    """Save an untrained model and return what the step needs of it."""
    network = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 2, "time_features": 4}
    objective, sampler = {"kind": "flow_matching"}, {"solver": "midpoint", "evaluations": 4}
    if name == "gan":
        network = {"kind": "epic_gan", "layers": 1, "hidden": 8, "latent": 2}
        objective, sampler = {"kind": "adversarial"}, {"solver": "one_step", "evaluations": 1}
    conditions = ("jet_pt", "jet_mass") if name == "conditional" else ()
    values = {"network": network, "objective": objective, "conditions": conditions, "training": {"steps": 1}}
    settings = parse(GeneratorSettings, values)
    rows = np.random.default_rng(1).normal(size=(20, 3))
    points = Standardisation.fit(rows, [column.name for column in RELATIVE_COLUMNS])
    of_conditions = Standardisation.fit(rows[:, :2], ("jet_pt", "jet_mass"))
    torch.manual_seed(1)
    untrained: nn.Module = build_network(settings)
    paths = folder / f"{name}.safetensors", folder / f"{name}.json"
    standardisation = {"points": points.to_json(), "conditions": of_conditions.to_json()}
    save_artifact(*paths, untrained.state_dict(), settings, standardisation, 30, None, {})
    return {"sampler": "usual", "settings": sampler, "weights": str(paths[0]), "description": str(paths[1])}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("models")
    return {name: _model(folder, name) for name in NAMES}


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_model_and_multiplicity_has_a_row(models: dict[str, Any], tmp_path: Path) -> None:
    sampling_time(models, SETTINGS, tmp_path / "times.csv")
    rows = _read(tmp_path / "times.csv")
    assert [(row["model"], row["multiplicity"]) for row in rows] == [(name, n) for name in NAMES for n in ("3", "12")]
    for row in rows:
        lowest, median, highest = (float(row[name]) for name in ("lowest", "seconds_per_jet", "highest"))
        assert 0 < lowest <= median <= highest
        assert row["evaluations"] == ("1" if row["model"] == "gan" else "4")
        assert float(row["seconds_per_evaluation"]) == pytest.approx(median / int(row["evaluations"]))
        assert (row["sampler"], row["jets"], row["precision"]) == ("usual", "8", "float32")
        assert row["solver"] == ("one_step" if row["model"] == "gan" else "midpoint")
        assert row["clock"] == ("elapsed" if torch.cuda.is_available() else "CPU")
        assert int(row["threads"]) == torch.get_num_threads()
        assert row["device"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="another clock is read on a GPU")
def test_models_take_turns_and_the_first_round_only_warms_up(
    models: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[int, int]] = []
    ticks = iter(range(1000))
    # The n-th reading of the clock is n squared: the draws get longer by known amounts.
    monkeypatch.setattr("time.process_time", lambda: next(ticks) ** 2)
    real = Sampler.draw

    def draw(self: Sampler, counts: torch.Tensor, conditions: torch.Tensor, seed: int) -> torch.Tensor:
        drawn.append((int(counts[0]), conditions.shape[1]))
        assert not conditions.any()
        assert len(counts.unique()) == 1
        return real(self, counts, conditions, seed)

    monkeypatch.setattr(Sampler, "draw", draw)
    sampling_time({name: models[name] for name in ("small", "conditional")}, SETTINGS, tmp_path / "times.csv")
    assert drawn == 4 * [(3, 0), (12, 0), (3, 2), (12, 2)]
    rows = _read(tmp_path / "times.csv")
    for case, row in enumerate(rows):
        starts = [2 * (4 * turn + case) for turn in (1, 2, 3)]
        seconds = [((start + 1) ** 2 - start**2) / SETTINGS.jets for start in starts]
        assert float(row["seconds_per_jet"]) == pytest.approx(statistics.median(seconds))
        assert (float(row["lowest"]), float(row["highest"])) == pytest.approx((min(seconds), max(seconds)))


def test_more_particles_take_longer(models: dict[str, Any], tmp_path: Path) -> None:
    settings = SamplingTimeSettings(multiplicities=(2, 4000), jets=16, rounds=3)
    sampling_time({"small": models["small"]}, settings, tmp_path / "times.csv")
    few, many = (float(row["lowest"]) for row in _read(tmp_path / "times.csv"))
    # Two thousand times the work: no load on the machine hides that.
    assert many > 2 * few


def test_a_model_without_its_files_is_refused(models: dict[str, Any], tmp_path: Path) -> None:
    incomplete = {key: value for key, value in models["small"].items() if key != "weights"}
    with pytest.raises(SettingsError, match=r"--models: small: no key \['weights'\]"):
        sampling_time({"small": incomplete}, SETTINGS, tmp_path / "never.csv")
    wrong = models["small"] | {"settings": {"solver": "midpoint", "evaluations": 3}}
    with pytest.raises(SettingsError, match=r"--models: small\.settings: .*evaluations"):
        sampling_time({"small": wrong}, SETTINGS, tmp_path / "never.csv")
    assert not list(tmp_path.iterdir())
