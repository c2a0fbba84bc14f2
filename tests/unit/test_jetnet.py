"""The JetNet layout, both ways."""

import h5py
import numpy as np
import pytest

from cloudchamber.cloud import Clouds, Column, read_clouds, write_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.relative import RELATIVE_COLUMNS
from cloudchamber.readers.jetnet import read_jetnet, write_jetnet


@pytest.fixture
def content(rng):
    """Arrays of a small file as the published ones are: real particles first, zeros after them."""
    counts = rng.integers(1, 31, 40)
    mask = np.arange(30) < counts[:, None]
    particles = np.concatenate([rng.normal(0, 0.1, (40, 30, 3)), np.ones((40, 30, 1))], axis=2) * mask[..., None]
    jets = np.column_stack([rng.normal(1000, 50, 40), rng.normal(0, 1, 40), rng.normal(170, 20, 40), counts])
    return {"particle_features": particles.astype("f4"), "jet_features": jets.astype("f4")}


def write(path, content):
    with h5py.File(path, "w") as file:
        for name, values in content.items():
            file[name] = values
    return path


def test_round_trip_is_exact(tmp_path, content):
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    write_jetnet(tmp_path / "again.hdf5", clouds)
    with h5py.File(tmp_path / "again.hdf5") as file:
        assert sorted(file) == sorted(content)
        for name, values in content.items():
            assert file[name].dtype == np.float32
            np.testing.assert_array_equal(file[name][()], values)


def test_columns(tmp_path, content):
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    np.testing.assert_array_equal(clouds.point("pt_rel"), content["particle_features"][:, :, 2])
    np.testing.assert_array_equal(clouds.feature("jet_mass"), content["jet_features"][:, 2])
    np.testing.assert_array_equal(clouds.multiplicity, content["jet_features"][:, 3])


def test_clouds_pass_through_our_own_layout(tmp_path, content):
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    write_clouds(tmp_path / "t.h5", clouds)
    np.testing.assert_array_equal(read_clouds(tmp_path / "t.h5").points, clouds.points)


def test_padded_slots_become_zero_and_last(tmp_path, content):
    content["particle_features"][0, :4] = [[1, 2, 3, 0], [4, 5, 6, 1], [7, 8, 9, 0], [10, 11, 12, 1]]
    content["particle_features"][0, 4:] = 0
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    np.testing.assert_array_equal(clouds.points[0, :3], [[4, 5, 6], [10, 11, 12], [0, 0, 0]])
    np.testing.assert_array_equal(clouds.mask[0], np.arange(30) < 2)


def test_number_of_particles_is_counted_where_it_is_not_stored(tmp_path):
    mask = np.array([[True, True, False], [True, False, False]])
    clouds = Clouds(
        points=np.ones((2, 3, 3), np.float32) * mask[..., None],
        mask=mask,
        features=np.ones((2, 3), np.float32),
        labels=np.zeros((2, 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=(Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_mass", "GeV")),
    )
    write_jetnet(tmp_path / "t.hdf5", clouds)
    np.testing.assert_array_equal(read_jetnet(tmp_path / "t.hdf5").feature("n_constituents"), [2, 1])


def test_absolute_coordinates_are_refused(tmp_path, content):
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    absolute = Clouds(clouds.points, clouds.mask, clouds.features, clouds.labels, (Column("pt"), Column("eta")))
    with pytest.raises(InputError, match="no point column 'eta_rel'"):
        write_jetnet(tmp_path / "out.hdf5", absolute)
    assert not (tmp_path / "out.hdf5").exists()


def damage(content, **changes):
    return {name: values for name, values in (content | changes).items() if values is not None}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: damage(c, jet_features=None), "no data set 'jet_features'; there are"),
        (lambda c: damage(c, jet_features=c["jet_features"][:-1]), "40 jets in 'particle_features', 39"),
        (lambda c: damage(c, jet_features=c["jet_features"][:, :3]), r"expected numbers \(N, 4\)"),
        (lambda c: damage(c, particle_features=c["jet_features"]), r"expected numbers \(N, P, 4\)"),
        (lambda c: damage(c, particle_features=np.full((40, 3, 4), np.nan)), "not finite"),
        (lambda c: damage(c, particle_features=np.full((40, 3, 4), 1e300)), "not finite"),
        (lambda c: damage(c, particle_features=np.full((40, 3, 4), 0.5)), "mask"),
    ],
)
def test_faults_are_one_line_with_the_file(tmp_path, content, change, message):
    path = write(tmp_path / "t.hdf5", change(content))
    with pytest.raises(InputError, match=message) as caught:
        read_jetnet(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_truncated_file(tmp_path, content):
    path = write(tmp_path / "t.hdf5", content)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(InputError, match="cannot be read as a JetNet file"):
        read_jetnet(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.hdf5"):
        read_jetnet(tmp_path / "none.hdf5")
