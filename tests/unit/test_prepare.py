"""The preparation of jets with particles of no momentum, of jets with no particle: the same for each seed, counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prepared_jets import raw_jets

from cloudchamber.cloud import Clouds, read_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.observables import observe
from cloudchamber.preparation.prepare import prepare
from cloudchamber.preparation.splits import PARTS, read_split, write_split
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import PreparationSettings

JETS = 120


@pytest.fixture
def jets(rng: np.random.Generator) -> Clouds:
    return raw_jets(JETS, 6, rng)


def run(folder: Path, clouds: Clouds, seed: int = 1, **settings: object) -> Clouds:
    write_clouds(folder / "clouds.h5", clouds)
    parsed = parse(PreparationSettings, settings)
    prepare(folder / "clouds.h5", parsed, seed, folder / "prepared.h5", folder / "split.h5")
    return read_clouds(folder / "prepared.h5")


def with_momenta(clouds: Clouds, row: int, momenta: list[float]) -> Clouds:
    """Return the clouds with other momenta of the first particles of one jet."""
    points = clouds.points.copy()
    points[row, : len(momenta), 0] = momenta
    return replace(clouds, points=points)


def emptied(clouds: Clouds, rows: list[int]) -> Clouds:
    """Return the clouds without the particles of some jets, as their features are then."""
    mask, points, features = clouds.mask.copy(), clouds.points.copy(), clouds.features.copy()
    mask[rows], points[rows], features[rows] = False, 0.0, 0.0
    return replace(clouds, mask=mask, points=points, features=features)


@pytest.mark.parametrize("seed", range(8))
def test_a_particle_without_momentum_is_a_value_of_the_root(seed: int, jets: Clouds, tmp_path: Path) -> None:
    made = run(tmp_path, with_momenta(jets, 7, [3.0, 0.0]), seed)
    assert made.point("pt_rel")[7, 1] == 0.0
    assert made.meta["without_particles"] == 0
    assert sum(len(made.indices[name]) for name in PARTS) == JETS


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize(
    ("scale", "momenta", "reason"),
    [("log", [0.0, 0.0], "2 of {n} values are not positive"), ("sqrt", [-1.0, 3.0], "1 of {n} values are negative")],
)
def test_what_a_scale_does_not_have_is_refused_in_each_part(
    scale: str, momenta: list[float], reason: str, seed: int, jets: Clouds, tmp_path: Path
) -> None:
    expected = reason.format(n=int(jets.mask.sum()))
    with pytest.raises(InputError, match=rf"clouds\.h5: column 'pt_rel': {expected}, outside of the {scale} scale$"):
        run(tmp_path, with_momenta(jets, 7, momenta), seed, pt_scale=scale)
    assert not (tmp_path / "prepared.h5").exists()
    assert not (tmp_path / "split.h5").exists()


@pytest.mark.parametrize("seed", range(4))
def test_jets_without_particles_keep_their_rows_and_are_in_no_part(
    seed: int, jets: Clouds, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = run(tmp_path, jets, seed)
    capsys.readouterr()
    made = run(tmp_path, emptied(jets, [3, 50]), seed)
    assert capsys.readouterr().err == f"prepare: 2 of {JETS} jets have no particle and are in no part\n"
    assert made.meta["without_particles"] == 2
    assert len(made) == JETS
    # The others are split as they would be without them.
    for name in PARTS:
        expected = whole.indices[name][~np.isin(whole.indices[name], [3, 50])]
        np.testing.assert_array_equal(made.indices[name], expected)
        np.testing.assert_array_equal(read_split(tmp_path / "split.h5", JETS)[name], expected)
    assert all(np.isfinite(values).all() for values in observe(made).values())


def test_a_jet_whose_particles_have_no_momentum_is_one_without_particles(jets: Clouds, tmp_path: Path) -> None:
    made = run(tmp_path, with_momenta(jets, 7, [0.0] * 6))
    assert made.meta["without_particles"] == 1
    assert not any((made.indices[name] == 7).any() for name in PARTS)


def test_a_list_of_rows_may_name_jets_without_particles(jets: Clouds, tmp_path: Path) -> None:
    rows = {"train": np.arange(60), "validation": np.arange(60, 80), "test": np.arange(80, JETS)}
    write_split(tmp_path / "own.h5", rows, JETS)
    made = run(tmp_path, emptied(jets, [0, 70]), split={"indices": str(tmp_path / "own.h5")})
    assert [len(made.indices[name]) for name in PARTS] == [59, 19, 40]
    with pytest.raises(InputError, match=r"none of the 20 jets of the validation part has a particle"):
        run(tmp_path, emptied(jets, list(range(60, 80))), split={"indices": str(tmp_path / "own.h5")})


def test_a_jet_with_particles_and_no_momentum_of_its_own_is_refused(jets: Clouds, tmp_path: Path) -> None:
    features = jets.features.copy()
    features[[4, 9], 0] = 0.0
    with pytest.raises(InputError, match=rf"clouds\.h5: 2 of {JETS} jets have a transverse momentum that is not pos"):
        run(tmp_path, replace(jets, features=features))
