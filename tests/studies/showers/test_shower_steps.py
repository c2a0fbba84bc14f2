"""Trainings and samples of networks: they are resumable, end to end, and right where the answer is known."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shower_files import INGESTION

from cloudchamber.errors import InputError
from cloudchamber.settings.base import parse
from cloudchamber.storage import write_rows
from cloudchamber.studies.showers import train
from cloudchamber.studies.showers.deposits import Particles
from cloudchamber.studies.showers.ingest import ingest
from cloudchamber.studies.showers.layer_counts import layer_counts, rows_of_species
from cloudchamber.studies.showers.model_settings import CountSettings, MapSettings, ShowerModelSettings, ShowerSampler
from cloudchamber.studies.showers.sample import sample
from cloudchamber.studies.showers.seen_particles import SeenParticles, refuse_unseen
from cloudchamber.studies.showers.settings import TimesSettings
from cloudchamber.studies.showers.shower_file import open_showers
from cloudchamber.studies.showers.shower_models import load_counts, load_points
from cloudchamber.studies.showers.times import measure_time
from cloudchamber.studies.showers.train import train_counts, train_map, train_points

NETWORK = {"kind": "allshowers", "width": 8, "heads": 2, "layers": 1, "feed_forward": 8, "counts_hidden": 8}
TRAINING = {"steps": 8, "batch_size": 8, "validate_every": 4, "save_every": 4, "accelerator": "cpu", "ema_decay": 0.5}

TO_MAP = parse(MapSettings, {"segments": 2, "trajectories": 20, "training": TRAINING,
                             "teacher_sampler": {"solver": "midpoint", "evaluations": 4}})  # fmt: skip


def paths(folder: Path) -> dict[str, Path]:
    names = {"weights": "weights.safetensors", "description": "model.json", "history": "history.csv"}
    return {key: folder / name for key, name in names.items()}


def entry(folder: Path, species: list[str] | None = None) -> dict[str, Any]:
    found = paths(folder)
    return {"species": species or [], "weights": str(found["weights"]), "description": str(found["description"])}


@pytest.fixture(scope="module")
def trained(showers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flow of all species, one of photons, a flow map and a flow of counts."""
    folder, source = tmp_path_factory.mktemp("trained"), showers_folder / "showers.h5"
    settings = parse(ShowerModelSettings, {"network": NETWORK, "training": TRAINING})
    train_points(source, settings, 1, folder / "state/all", **paths(folder / "all"))
    photons = settings.model_copy(update={"species": ("photon",)})
    train_points(source, photons, 1, folder / "state/photon", **paths(folder / "photon"))
    counts = parse(CountSettings, {"hidden": [16], "training": {**TRAINING, "steps": 60}, "evaluations": 8})
    train_counts(source, counts, 1, folder / "state/counts", **paths(folder / "counts"))
    teacher = paths(folder / "all")
    train_map(
        source, teacher["weights"], teacher["description"], TO_MAP, 1, folder / "state/map", **paths(folder / "map")
    )
    return folder


def drawn(trained: Path, source: Path, output: Path, folder: str = "all", **settings: Any) -> None:
    files = {"models": [entry(trained / folder)], "counts": entry(trained / "counts")}
    sample(source, files, ShowerSampler(**{"evaluations": 4, **settings}), 1, output)


def test_a_model_knows_what_it_was_trained_with(trained: Path) -> None:
    model = load_points(paths(trained / "photon")["weights"], paths(trained / "photon")["description"])
    assert model.settings.species == ("photon",)
    assert model.segments is None
    assert load_points(paths(trained / "map")["weights"], paths(trained / "map")["description"]).segments == 2
    counter = load_counts(paths(trained / "counts")["weights"], paths(trained / "counts")["description"])
    assert counter.scales.energy.scales == ("log",)
    description = json.loads(paths(trained / "all")["description"].read_text())
    assert description["parameters"] == sum(item.numel() for item in model.network.parameters())


def test_samples_have_the_particles_that_were_asked_for(trained: Path, showers_folder: Path, tmp_path: Path) -> None:
    source = showers_folder / "showers.h5"
    drawn(trained, source, tmp_path / "a.h5")
    drawn(trained, source, tmp_path / "again.h5")
    with (
        open_showers(source) as showers,
        open_showers(tmp_path / "a.h5") as made,
        open_showers(tmp_path / "again.h5") as b,
    ):
        rows = made.label("shower")
        assert sorted(rows) == sorted(showers.part("asked"))
        np.testing.assert_array_equal(showers.features[rows, :4], made.features)
        np.testing.assert_array_equal(showers.label("pdg")[rows], made.label("pdg"))
        assert (made.counts > 0).all()
        every = np.arange(len(made))
        np.testing.assert_array_equal(made.take(every).points, b.take(every).points)
        assert made.meta["sampler"]["evaluations_counted"] == 4


def test_a_model_is_not_asked_for_species_that_it_never_saw(
    trained: Path, showers_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"photon/\S+: PDG codes \[211\], the model was trained with \[22\]"):
        drawn(trained, showers_folder / "showers.h5", tmp_path / "a.h5", folder="photon")
    assert not (tmp_path / "a.h5").exists()
    described = json.loads(paths(trained / "photon")["description"].read_text())["particles"]
    with open_showers(showers_folder / "showers.h5") as showers:
        rows = rows_of_species(showers, "train", ("photon",))
        energy, cosine = showers.feature("energy")[rows], showers.feature("direction_z")[rows]
    angle = pytest.approx(np.degrees(np.arccos(cosine.min())), rel=1e-3)
    assert described == {"pdg": [22], "energy": pytest.approx([energy.min(), energy.max()]), "angle": angle}


def test_directions_that_a_model_never_saw_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    """As of a model of straight showers that is asked for oblique ones."""
    straight = np.tile([0.0, 0.0, 1.0], (4, 1))
    oblique = np.tile([np.sin(0.5), 0.0, np.cos(0.5)], (4, 1))
    seen = SeenParticles.from_json({"pdg": [22], "energy": [1.0, 2.0], "angle": 0.0})
    for directions in (straight, oblique):
        refuse_unseen(seen, Particles(np.full(4, 1.5), directions, np.full(4, 22)), "a.h5")
    said = capsys.readouterr().err
    assert said.startswith("a.h5: WARNING: the direction of 4 of 4 particles is more than 0 degrees from the normal, ")
    assert said.count("WARNING") == 1
    assert SeenParticles.from_json({"pdg": [22], "energy": [1.0, 2.0]}).angle is None


def test_true_counts_are_those_of_the_showers(trained: Path, showers_folder: Path, tmp_path: Path) -> None:
    source = showers_folder / "showers.h5"
    drawn(trained, source, tmp_path / "a.h5", counts="truth")
    with open_showers(source) as showers, open_showers(tmp_path / "a.h5") as made:
        np.testing.assert_array_equal(
            layer_counts(made, np.arange(len(made))), layer_counts(showers, made.label("shower"))
        )


def test_a_finished_flow_map_draws_no_trajectories(
    trained: Path, showers_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("trajectories are drawn")

    monkeypatch.setattr(train, "trajectories_of", refused)
    teacher, source = paths(trained / "all"), showers_folder / "showers.h5"
    given = (source, teacher["weights"], teacher["description"])
    train_map(*given, TO_MAP, 1, trained / "state/map", **paths(tmp_path / "again"))
    for name in ("weights", "history"):
        assert paths(tmp_path / "again")[name].read_bytes() == paths(trained / "map")[name].read_bytes()
    description = json.loads(paths(trained / "map")["description"].read_text())
    assert description["settings"]["training"]["steps"] == TRAINING["steps"]
    with pytest.raises(AssertionError, match="trajectories are drawn"):
        train_map(*given, TO_MAP, 2, tmp_path / "state", **paths(tmp_path / "other"))


def test_a_flow_map_takes_as_few_evaluations_as_it_is_asked_for(
    trained: Path, showers_folder: Path, tmp_path: Path
) -> None:
    drawn(trained, showers_folder / "showers.h5", tmp_path / "a.h5", "map", solver="flow_map", evaluations=2)
    with open_showers(tmp_path / "a.h5") as made:
        assert made.meta["sampler"]["evaluations_counted"] == 2
        assert np.isfinite(made.take(np.arange(len(made))).points).all()
    teacher, source = paths(trained / "map"), showers_folder / "showers.h5"
    settings = parse(MapSettings, {"segments": 2, "trajectories": 5, "training": TRAINING})
    with pytest.raises(InputError, match="a flow map, from which none is made"):
        train_map(
            source, teacher["weights"], teacher["description"], settings, 1, tmp_path / "s", **paths(tmp_path / "m")
        )


def test_showers_that_a_model_was_not_trained_on_are_said(
    trained: Path, showers_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Split otherwise, the test showers may be those of the training."""
    drawn(trained, showers_folder / "showers.h5", tmp_path / "a.h5")
    assert "was trained on other showers" not in capsys.readouterr().err
    ingest([showers_folder / "0.root"], INGESTION, "ild_like", 2, tmp_path / "other.h5")
    drawn(trained, tmp_path / "other.h5", tmp_path / "b.h5")
    assert capsys.readouterr().err.count(f"was trained on other showers than {tmp_path / 'other.h5'}") == 2


def test_each_species_can_have_a_model_of_its_own(trained: Path, showers_folder: Path, tmp_path: Path) -> None:
    source = showers_folder / "showers.h5"
    models = [entry(trained / "photon", ["photon"]), entry(trained / "all", ["pi_plus"])]
    files = {"models": models, "counts": entry(trained / "counts")}
    sample(source, files, ShowerSampler(evaluations=2), 1, tmp_path / "a.h5")
    with open_showers(source) as showers, open_showers(tmp_path / "a.h5") as made:
        assert sorted(made.label("shower")) == sorted(showers.part("asked"))


def test_a_training_that_was_ended_goes_on_bitwise(showers_folder: Path, tmp_path: Path) -> None:
    source = showers_folder / "showers.h5"
    settings = parse(ShowerModelSettings, {"network": NETWORK, "training": TRAINING})
    train_points(source, settings, 2, tmp_path / "state", **paths(tmp_path / "whole"))
    (state,) = (tmp_path / "state").iterdir()
    kept = sorted(path for path in state.iterdir() if path.suffix not in (".lock",) and path.is_file())
    assert len(kept) >= 1
    train_points(source, settings, 2, tmp_path / "state", **paths(tmp_path / "again"))
    for name in ("weights", "history"):
        assert paths(tmp_path / "whole")[name].read_bytes() == paths(tmp_path / "again")[name].read_bytes()


def test_counts_learn_the_mean_of_each_species(trained: Path, showers_folder: Path) -> None:
    """After a few steps the counts of photons lie in the first layers, and those of pions behind them."""
    model = load_counts(paths(trained / "counts")["weights"], paths(trained / "counts")["description"])
    values = model.scales.counts.inverse(np.zeros((1, 78))) - 0.5
    with open_showers(showers_folder / "showers.h5") as showers:
        counts = layer_counts(showers, showers.part("train"))
    np.testing.assert_allclose(values[0], np.exp(np.log(counts + 0.5).mean(axis=0)) - 0.5, rtol=1e-3, atol=1e-3)


def test_times_are_those_of_every_species_and_energy(trained: Path, showers_folder: Path, tmp_path: Path) -> None:
    settings = {"solver": "midpoint", "evaluations": 2}
    model = {"name": "all", "sampler": "midpoint", "settings": settings, **entry(trained / "all")}
    rows = [{"pdg": pdg, "energy": 1.0, "seconds": 0.5 * pdg, "processor": "one"} for pdg in (22, 22, 211)]
    write_rows(tmp_path / "geant4.csv", rows)
    files = {"models": [model], "counts": entry(trained / "counts"), "geant4": [str(tmp_path / "geant4.csv")]}
    measure_time(showers_folder / "showers.h5", files, TimesSettings(showers=2, rounds=1), tmp_path / "times.csv")
    text = (tmp_path / "times.csv").read_text().splitlines()
    assert len(text) == 1 + 3 * 2 * 3
    table = pd.read_csv(tmp_path / "times.csv").set_index("model")
    assert set(table.loc["geant4", "seconds_per_shower"]) == {11.0, 105.5}
    assert (table.loc["geant4", "lowest"] == table.loc["geant4", "highest"]).all()
    absent = {**files, "geant4": [str(tmp_path / "one.csv")]}
    write_rows(tmp_path / "one.csv", rows[:1])
    with pytest.raises(InputError, match="the times of Geant4 have none of pi_plus"):
        measure_time(showers_folder / "showers.h5", absent, TimesSettings(showers=2, rounds=1), tmp_path / "times.csv")


def test_bad_models_and_showers_are_one_line(trained: Path, showers_folder: Path, tmp_path: Path) -> None:
    source = showers_folder / "showers.h5"
    settings = parse(ShowerModelSettings, {"network": NETWORK, "training": TRAINING, "species": ["neutron"]})
    with pytest.raises(InputError, match="the part 'train' has no shower of neutron"):
        train_points(source, settings, 1, tmp_path / "state", **paths(tmp_path / "m"))
    broken = entry(trained / "all") | {"description": str(paths(trained / "counts")["description"])}
    with pytest.raises(InputError, match="not the weights that"):
        sample(source, {"models": [broken], "counts": entry(trained / "counts")}, ShowerSampler(), 1, tmp_path / "a.h5")
