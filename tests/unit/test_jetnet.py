"""The JetNet layout, both ways."""

import re

import h5py
import numpy as np
import pytest

from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.prepare import prepare
from cloudchamber.readers.jetnet import read_jetnet, write_jetnet
from cloudchamber.settings.data import PreparationSettings


@pytest.fixture
def content(rng):
    """Arrays of a small file as the published ones are: real particles first, zeros after them."""
    counts = rng.integers(1, 31, 40)
    mask = np.arange(30) < counts[:, None]
    particles = np.concatenate([rng.normal(0, 0.1, (40, 30, 3)), np.ones((40, 30, 1))], axis=2) * mask[..., None]
    particles[..., 2] = np.abs(particles[..., 2])
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
    content["particle_features"][0, :4] = [[1, 2, 3, 0], [0.4, 0.5, 0.6, 1], [7, 8, 9, 0], [1.0, 1.1, 1.2, 1]]
    content["particle_features"][0, 4:] = 0
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content))
    np.testing.assert_array_equal(clouds.points[0, :3], np.array([[0.4, 0.5, 0.6], [1.0, 1.1, 1.2], [0, 0, 0]], "f4"))
    np.testing.assert_array_equal(clouds.mask[0], np.arange(30) < 2)


def test_number_of_particles_is_counted_where_it_is_not_stored(tmp_path):
    mask = np.array([[True, True, False], [True, False, False]])
    clouds = Clouds(
        points=np.full((2, 3, 3), 0.1, np.float32) * mask[..., None],
        mask=mask,
        features=np.ones((2, 3), np.float32),
        labels=np.zeros((2, 0), np.int64),
        point_columns=RELATIVE_COLUMNS,
        feature_columns=(Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_mass", "GeV")),
    )
    write_jetnet(tmp_path / "t.hdf5", clouds)
    np.testing.assert_array_equal(read_jetnet(tmp_path / "t.hdf5").feature("n_constituents"), [2, 1])


def test_no_jet_has_more_particles_than_the_file_has_room_for(tmp_path, content):
    """Jets that were cut know how many they had; readers of the layout make masks of the number."""
    cut = read_jetnet(write(tmp_path / "t.hdf5", content), max_particles=7)
    write_jetnet(tmp_path / "cut.hdf5", cut)
    expected = np.minimum(content["jet_features"][:, 3], 7)
    np.testing.assert_array_equal(read_jetnet(tmp_path / "cut.hdf5").feature("n_constituents"), expected)


def test_the_hardest_particles_are_kept(tmp_path, content):
    clouds = read_jetnet(write(tmp_path / "t.hdf5", content), max_particles=7)
    assert clouds.points.shape == (40, 7, 3)
    lost, dropped, truncated = [], 0, 0
    for jet, particles in enumerate(content["particle_features"]):
        real = sorted((list(map(float, row[:3])) for row in particles if row[3] == 1), key=lambda row: -row[2])
        kept = [*real[:7], *[[0.0] * 3] * (7 - len(real))]
        assert clouds.points[jet].tolist() == kept
        assert clouds.mask[jet].sum() == min(len(real), 7)
        total = sum(row[2] for row in real)
        lost.append(sum(row[2] for row in real[7:]) / total if total > 0 else 0.0)
        dropped += max(len(real) - 7, 0)
        truncated += len(real) > 7
    np.testing.assert_array_equal(clouds.feature("n_constituents"), content["jet_features"][:, 3])
    cost = clouds.meta["truncation"]
    assert (cost["clouds_truncated"], cost["particles_dropped"]) == (truncated, dropped)
    assert cost["mean_lost_pt_fraction"] == pytest.approx(np.mean(lost), rel=1e-4)
    assert cost["worst_lost_pt_fraction"] == pytest.approx(max(lost), rel=1e-4)


def test_a_limit_above_the_file_changes_no_published_file(tmp_path, content):
    particles = content["particle_features"]
    particles[..., 2] = -np.sort(-np.abs(particles[..., 2]), axis=1)
    path = write(tmp_path / "t.hdf5", content)
    all_of_it, limited = read_jetnet(path), read_jetnet(path, max_particles=100)
    np.testing.assert_array_equal(limited.points, all_of_it.points)
    np.testing.assert_array_equal(limited.mask, all_of_it.mask)
    assert limited.meta["truncation"]["particles_dropped"] == 0


def test_prepared_jets_are_as_in_the_file(tmp_path, content):
    settings = PreparationSettings.model_validate({"split": {"train": 0.4, "validation": 0.1}, "pt_scale": "linear"})
    write_clouds(tmp_path / "t.h5", read_jetnet(write(tmp_path / "t.hdf5", content)))
    prepare(tmp_path / "t.h5", settings, 1, tmp_path / "prepared.h5", tmp_path / "split.h5")
    jets = read_clouds(tmp_path / "prepared.h5")
    np.testing.assert_array_equal(jets.points, content["particle_features"][..., :3])
    # Each jet is an event of its own.
    assert {name: len(rows) for name, rows in jets.indices.items()} == {"train": 16, "validation": 4, "test": 20}
    with h5py.File(tmp_path / "split.h5") as file:
        assert {name: file[name][()].tolist() for name in jets.indices} == {
            n: r.tolist() for n, r in jets.indices.items()
        }
        np.testing.assert_array_equal(file["jet_pt"], jets.feature("jet_pt"))
    rows = np.concatenate(
        [p[p[:, 3] == 1, :3] for p in content["particle_features"][jets.indices["train"]]], dtype=float
    )
    fit = jets.meta["standardisation"]["points"]
    assert fit["scales"] == ["linear"] * 3
    np.testing.assert_allclose(fit["mean"], rows.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(fit["deviation"], rows.std(axis=0), rtol=1e-12)
    again = PreparationSettings.model_validate({"split": {"indices": str(tmp_path / "split.h5")}, "pt_scale": "linear"})
    prepare(tmp_path / "t.h5", again, 2, tmp_path / "again.h5")
    for name, part in jets.indices.items():
        np.testing.assert_array_equal(read_clouds(tmp_path / "again.h5").indices[name], part)


def _in_gev(particles, jets):
    particles[..., 2] *= jets[:, :1]


def _absolute(particles, jets):
    particles[..., 0] += 2 * particles[..., 3]


def _in_degrees(particles, jets):
    particles[..., 1] *= 180 / np.pi


def _swapped(particles, jets):
    jets[:, [0, 1]] = jets[:, [1, 0]]


def _types_first(particles, jets):
    jets[:] = np.column_stack([np.arange(40) % 4 + 1, jets[:, :3]])


def _momenta_first(particles, jets):
    particles[..., :3] = particles[..., [2, 0, 1]]


def _mass_in_mev(particles, jets):
    jets[:, 2] *= 1000


def _all_in_mev(particles, jets):
    jets[:, [0, 2]] *= 1000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_in_gev, r"pt_rel of a jet adds up to .* \(median\): expected units of the pT of the jet"),
        (_absolute, r"lie 2\.?\d* from its axis in eta_rel \(median\)"),
        (_in_degrees, r"phi_rel of \d+ of \d+ particles is beyond a turn: expected rad"),
        (_swapped, r"column 0 of 'jet_features' is -\d.* with particles: expected its pT"),
        (_types_first, r"column 1 of 'jet_features' is 1?\d\d\d \(median of its size\): expected eta"),
        (_momenta_first, r"column 2 of 'particle_features' is negative for \d+ of \d+ particles: expected pt_rel"),
        (_mass_in_mev, r"column 2 of 'jet_features' is .* times the mass of the particles \(median\)"),
        (_all_in_mev, r"column 0 of 'jet_features' is 1?\d?\.?\d*e\+0[56] \(median\): expected the pT in GeV"),
    ],
)
def test_particles_that_are_not_relative_to_their_jet_are_refused(tmp_path, content, change, said):
    change(*content.values())
    with pytest.raises(InputError, match=rf"t\.hdf5: .*{said}"):
        read_jetnet(write(tmp_path / "t.hdf5", content))


def test_differences_of_angles_are_moved_by_whole_turns(tmp_path, content, capsys):
    expected = read_jetnet(write(tmp_path / "t.hdf5", content)).points
    assert capsys.readouterr().err == ""
    content["particle_features"][:20, 0, 1] += 2 * np.pi
    content["particle_features"][20:, 0, 1] -= 2 * np.pi
    found = read_jetnet(write(tmp_path / "turned.hdf5", content)).points
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert "phi_rel of 40 particles was beyond pi, and is moved by whole turns" in capsys.readouterr().err


def test_padding_that_the_mask_takes_for_particles_is_said(tmp_path, content, capsys):
    """Observables do not count it, and models are asked for it."""
    particles, jets = (values.copy() for values in content.values())
    read_jetnet(write(tmp_path / "right.hdf5", {"particle_features": particles, "jet_features": jets}))
    assert capsys.readouterr().err == ""
    padding = particles[..., 3] == 0
    assert padding.any()
    particles[padding] = [0, 0, 0, 1]
    read_jetnet(write(tmp_path / "ones.hdf5", {"particle_features": particles, "jet_features": jets}))
    said = f"{padding.sum()} of {padding.size} particles have mask 1 and zeros alone"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("columns", "factor", "said"),
    [
        (
            [0, 2],
            1e-3,
            r"column 0 of 'jet_features' is 0\.9\d* \(median\), which is taken as the pT in GeV",
        ),
        ([3], 0.01, r"column 3 of 'jet_features' is below the number of particles of 40 of 40 jets"),
    ],
)
def test_jets_in_tev_and_another_last_column_are_said(tmp_path, content, capsys, columns, factor, said):
    content["jet_features"][:, 0] -= 20
    content["jet_features"][:, columns] *= factor
    read_jetnet(write(tmp_path / "t.hdf5", content))
    assert re.search(said, capsys.readouterr().err)


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
