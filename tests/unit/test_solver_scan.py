"""The scan of solvers: which points there are, their distances, their floor, and what happens to lost ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from descriptions import write_description
from prepared_jets import write_prepared_jets
from scipy.stats import wasserstein_distance

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.generative.jet_features import JetFeatures, write_jets
from cloudchamber.generative.sample import sample_model
from cloudchamber.generative.solver_scan import FEATURES, points_of, solver_scan
from cloudchamber.generative.train import train
from cloudchamber.jets.observable_file import read_observables, write_observables
from cloudchamber.jets.observables import observe
from cloudchamber.jets.observe import observe_file
from cloudchamber.settings.base import parse
from cloudchamber.settings.generation import SolverScanSettings
from cloudchamber.settings.generators import GeneratorSettings, SamplerSettings
from cloudchamber.settings.metrics import MetricSettings
from cloudchamber.storage import read_json

JETS = 60
SCAN = SolverScanSettings(
    models=("some",), solvers=("euler", "rk4", "euler_maruyama"), evaluations=(2, 4, 8), jets=JETS
)
METRICS = MetricSettings(bins=10, bootstraps=8)


class Study:
    """A folder with prepared jets, their observables, a model and jets to draw."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.prepared = write_prepared_jets(folder / "prepared.h5", jets=240, width=6)
        self.observables = folder / "observables.h5"
        observe_file(self.prepared, self.observables)
        self.weights, self.description = folder / "weights.safetensors", folder / "description.json"
        network = {"kind": "epic", "layers": 1, "hidden": 8, "latent": 2, "time_features": 4}
        values = {
            "network": network,
            "objective": {"kind": "flow_matching"},
            "conditions": ("jet_pt", "jet_mass"),
            "training": {"steps": 5, "batch_size": 16, "accelerator": "cpu"},
        }
        settings = parse(GeneratorSettings, values)
        train(self.prepared, settings, 3, folder / "state", self.weights, self.description, folder / "history.csv")
        self.jets = folder / "jets.h5"
        self.write_jets(self.jets, JETS + 7)

    def write_jets(self, path: Path, jets: int) -> None:
        """Write training jets, with replacement, as the jets to draw."""
        of_training = JetFeatures.of_part(read_clouds(self.prepared), "train", self.prepared)
        write_jets(path, of_training[np.random.default_rng(2).integers(len(of_training), size=jets)], {})

    def scan(self, scan: SolverScanSettings = SCAN, description: Path | None = None, seed: int = 4) -> pd.DataFrame:
        output = self.folder / "scan.csv"
        arguments = (self.weights, description or self.description, self.prepared, self.observables, self.jets)
        solver_scan(*arguments, scan, METRICS, seed, output)
        return pd.read_csv(output)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return Study(tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def table(study: Study) -> pd.DataFrame:
    return study.scan()


def test_points_are_whole_steps() -> None:
    settings = SCAN.model_copy(update={"solvers": ("euler", "rk4", "heun", "one_step"), "evaluations": (1, 2, 4)})
    points = [(point.solver, point.evaluations) for point in points_of(settings, None)]
    expected = [("euler", 1), ("euler", 2), ("euler", 4), ("rk4", 4), ("heun", 2), ("heun", 4), ("one_step", 1)]
    assert points == expected
    for momentum_sum in ("imposed", "free"):
        asked = settings.model_copy(update={"momentum_sum": momentum_sum})
        assert {point.momentum_sum for point in points_of(asked, None)} == {momentum_sum}


def test_every_point_has_a_row_per_metric_and_feature(table: pd.DataFrame) -> None:
    points = table[["solver", "evaluations"]].drop_duplicates()
    of_euler, of_rk4 = [("euler", n) for n in (2, 4, 8)], [("rk4", n) for n in (4, 8)]
    stochastic = [("euler_maruyama", n) for n in (2, 4, 8)]
    assert list(points.itertuples(index=False, name=None)) == [*of_euler, *of_rk4, *stochastic]
    assert len(table) == len(points) * 2 * len(FEATURES)
    assert set(table["metric"]) == {"kl", "w1"}
    assert set(table[table["stochastic"]]["solver"]) == {"euler_maruyama"}
    assert (table["n_generated"] == JETS).all()
    assert (table["seconds_per_jet"] > 0).all()
    assert table.notna().all(axis=None)


def _independent_w1(study: Study, generated: np.ndarray, feature: str) -> float:
    truth = read_observables(study.observables)[0][feature][read_clouds(study.prepared).indices["test"]]
    return float(wasserstein_distance(truth, generated))


def test_distances_are_those_of_the_sample_that_the_sampling_step_draws(study: Study, table: pd.DataFrame) -> None:
    """All points draw the first jets of the file with one seed, as the sampling step does from a file of as many."""
    jets = study.folder / "first_jets.h5"
    columns, meta = read_observables(study.jets)
    write_observables(jets, {name: values[:JETS] for name, values in columns.items()}, meta)
    sampler = SamplerSettings(solver="euler_maruyama", evaluations=4)
    sample_model(study.weights, study.description, jets, sampler, 4, study.folder / "sample.h5")
    sample: Clouds = read_clouds(study.folder / "sample.h5")
    generated = observe(sample)
    rows = table[(table["solver"] == sampler.solver) & (table["evaluations"] == 4) & (table["metric"] == "w1")]
    found = rows.set_index("feature")["value"]
    for feature in FEATURES:
        assert found[feature] == pytest.approx(_independent_w1(study, generated[feature], feature), rel=1e-6)


def test_all_points_share_the_floor_of_as_many_training_jets(study: Study, table: pd.DataFrame) -> None:
    of_truth = read_observables(study.observables)[0]
    rows = read_clouds(study.prepared).indices["train"][:JETS]
    for feature in FEATURES:
        floors = table[(table["metric"] == "w1") & (table["feature"] == feature)]["floor"]
        assert floors.nunique() == 1
        assert floors.iloc[0] == pytest.approx(_independent_w1(study, of_truth[feature][rows], feature))


def test_the_seed_decides(study: Study, table: pd.DataFrame) -> None:
    timeless = [column for column in table if column != "seconds_per_jet"]
    pd.testing.assert_frame_equal(study.scan()[timeless], table[timeless])
    assert not study.scan(seed=5)["value"].equals(table["value"])


@pytest.mark.parametrize("deviation", [1e300, 1e25])
def test_points_without_finite_values_are_rows_without_a_value(study: Study, tmp_path: Path, deviation: float) -> None:
    """Particles that are not finite, and particles so far out that only the observables are not."""
    broken = tmp_path / "description.json"
    saved = read_json(study.description)
    saved["standardisation"]["points"]["deviation"] = [deviation] * 3
    write_description(broken, saved)
    table = study.scan(SCAN.model_copy(update={"solvers": ("euler",)}), broken)
    assert len(table) == 3 * 2 * len(FEATURES)
    assert table[["value", "uncertainty"]].isna().all(axis=None)
    assert table[["floor", "floor_uncertainty", "seconds_per_jet"]].notna().all(axis=None)


def test_a_scan_draws_as_many_jets_as_there_are(study: Study, capsys: pytest.CaptureFixture[str]) -> None:
    many = SCAN.model_copy(update={"jets": 500, "solvers": ("euler",), "evaluations": (2,)})
    table = study.scan(many)
    assert (table["n_generated"] == JETS + 7).all()
    assert "solver-scan: 67 jets per point and not 500, which are not there\n" in capsys.readouterr().err
    # The floor has as many jets of the training part.
    drawn = study.folder / "many.h5"
    study.write_jets(drawn, 500)
    arguments = (study.weights, study.description, study.prepared, study.observables, drawn)
    solver_scan(*arguments, many, METRICS, 1, study.folder / "many.csv")
    there = len(read_clouds(study.prepared).indices["train"])
    assert (pd.read_csv(study.folder / "many.csv")["n_generated"] == there).all()


def test_without_training_jets_there_is_no_floor(study: Study) -> None:
    clouds = read_clouds(study.prepared)
    parts = {name: rows for name, rows in clouds.indices.items() if name != "train"}
    write_clouds(study.folder / "untrained.h5", replace(clouds, indices=parts))
    observe_file(study.folder / "untrained.h5", study.folder / "untrained_observables.h5")
    files = study.folder / "untrained.h5", study.folder / "untrained_observables.h5"
    arguments = (study.weights, study.description, *files, study.jets)
    with pytest.raises(InputError, match=r"untrained\.h5: no training jets, which give the floor"):
        solver_scan(*arguments, SCAN, METRICS, 1, study.folder / "never.csv")
    assert not (study.folder / "never.csv").exists()


def test_a_scan_of_nothing_is_refused() -> None:
    """Its table had been empty, which its figure refused after all trainings."""
    one_of_two = {**SCAN.model_dump(), "solvers": ("heun", "euler"), "evaluations": (3,)}
    assert parse(SolverScanSettings, one_of_two).evaluations == (3,)
    with pytest.raises(SettingsError, match=r"evaluations: \[3, 5\] suit none of the solvers, .*'heun': 2, 'rk4': 4"):
        parse(SolverScanSettings, {**one_of_two, "solvers": ("heun", "rk4"), "evaluations": (3, 5)})
