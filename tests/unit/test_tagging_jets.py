"""The file of jets of all classes, its weights and parts, and high-level features."""

import json
from dataclasses import replace

import numpy as np
import pytest
from tagging_files import class_settings, ingested_jets

from cloudchamber import seeds
from cloudchamber.classification.feature_sets import feature_names
from cloudchamber.classification.high_level import high_level
from cloudchamber.classification.jets import combine_classes
from cloudchamber.cli import main
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.jets.kinematics import jet_kinematics, momenta
from cloudchamber.jets.observable_file import read_observables
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.preparation.splits import PARTS
from cloudchamber.settings.base import parse
from cloudchamber.settings.data import SplitSettings
from cloudchamber.settings.tagging_sample import (
    HighLevelSettings,
    JetClassSettings,
    TaggingJetsSettings,
)

NAMES = ("1", "2", "4b")


def test_particles_in_another_order_are_refused(rng, tmp_path):
    """The first are taken for the hardest, also where arrays of one's own are in no order."""
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, max_particles=4)
    jets = read_clouds(tmp_path / f"{NAMES[1]}.h5")
    places = np.argsort(np.where(jets.mask, rng.random(jets.mask.shape), 2.0), axis=1)
    write_clouds(
        tmp_path / f"{NAMES[1]}.h5",
        replace(jets, points=np.take_along_axis(jets.points, places[:, :, None], axis=1)),
    )
    with pytest.raises(InputError, match=rf"class '{NAMES[1]}': the particles of \d+ of \d+ jets are not sorted by"):
        combine_classes(settings, 1, tmp_path / "jets.h5")
    assert not (tmp_path / "jets.h5").exists()


def test_jets_of_all_classes_come_into_one_file(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES, 900, jets_per_class=250)
    combine_classes(settings, 7, tmp_path / "jets.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    assert jets.point_columns == RELATIVE_COLUMNS
    assert jets.points.shape == (750, 15, 3)
    assert [item["name"] for item in jets.meta["classes"]] == list(NAMES)
    assert [item["title"] for item in jets.meta["classes"]] == ["N = 1", "N = 2", "N = 4b"]
    assert [item["jets"] for item in jets.meta["classes"]] == [250] * 3
    for position, name in enumerate(NAMES):
        source = read_clouds(tmp_path / f"{name}.h5")
        mine = jets[jets.label("class") == position]
        assert mine.feature("weight").mean() == pytest.approx(1.0, rel=1e-5)
        inside = (np.abs(source.feature("jet_eta")) <= 2.0) & (source.feature("jet_mass") >= 300)
        inside &= (source.feature("jet_mass") <= 700) & (source.feature("jet_pt") >= 1000)
        inside &= source.feature("jet_pt") <= 1200
        assert jets.meta["classes"][position]["accepted"] == inside.sum()
        # Each jet is one of those, found again by its features, with its own event and towers.
        rows = [int(np.flatnonzero(source.feature("jet_mass") == mass)[0]) for mass in mine.feature("jet_mass")]
        assert inside[rows].all()
        assert len(set(rows)) == 250
        np.testing.assert_array_equal(mine.label("event"), source.label("event")[rows])
        np.testing.assert_array_equal(mine.multiplicity, source.multiplicity[rows])
        pt = mine.point("pt_rel") * mine.feature("jet_pt")[:, None]
        np.testing.assert_allclose(pt[:, :12], source.point("pt")[rows], rtol=1e-5)


def test_parts_are_by_event_and_hold_all_classes_alike(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES, 900)
    combine_classes(settings, 7, tmp_path / "jets.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    everything = np.concatenate(list(jets.indices.values()))
    np.testing.assert_array_equal(np.sort(everything), np.arange(len(jets)))
    keys = np.stack([jets.label(name) for name in ("source", "file", "event")], axis=1)
    events = {name: {tuple(key) for key in keys[rows]} for name, rows in jets.indices.items()}
    assert not events["train"] & events["test"]
    assert not events["train"] & events["validation"]
    assert not events["validation"] & events["test"]
    for position in range(3):
        of_class = jets.label("class") == position
        shares = [of_class[jets.indices[name]].sum() / of_class.sum() for name in ("train", "validation", "test")]
        np.testing.assert_allclose(shares, [0.5, 0.1, 0.4], atol=0.05)
    # The order is a mixture of the classes.
    first = jets.label("class")[jets.indices["train"][:60]]
    assert set(first) == {0, 1, 2}


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, jets_per_class=100)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        combine_classes(settings, seed, tmp_path / f"{name}.h5")
    a, b, c = ((tmp_path / f"{name}.h5").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_classes_from_a_label_are_split_together(rng, tmp_path):
    write_clouds(tmp_path / "all.h5", ingested_jets(rng, 3000, classes=3))
    classes = tuple(
        JetClassSettings(name=name, title=name, file=str(tmp_path / "all.h5"), label=label)
        for name, label in (("b", 2), ("a", 0))
    )
    settings = TaggingJetsSettings(classes=classes, flat=False, max_particles=5)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    jets, source = read_clouds(tmp_path / "jets.h5"), read_clouds(tmp_path / "all.h5")
    of_mass = {float(m): int(k) for m, k in zip(source.feature("jet_mass"), source.label("class"), strict=True)}
    assert {of_mass[float(mass)] for mass in jets[jets.label("class") == 0].feature("jet_mass")} == {2}
    assert {of_mass[float(mass)] for mass in jets[jets.label("class") == 1].feature("jet_mass")} == {0}
    assert (jets.feature("weight") == 1).all()
    assert sum(item["truncated"] for item in jets.meta["classes"]) == (jets.feature("n_constituents") > 5).sum()
    assert jets.multiplicity.max() == 5
    events = [set(jets.label("event")[jets.indices[name]]) for name in ("train", "test")]
    assert not events[0] & events[1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mass_window": (10.0, 20.0)}, "class '1': none of its 900 jets is within the windows in pT, mass and eta"),
        ({"mass_window": (10.0, 700.0)}, "class '1': no jet among .* with a mass of 10 to 96.25 GeV"),
        ({"split": SplitSettings(train=0.9, validation=0.0999)}, "test part of .* is empty"),
    ],
)
def test_unusable_jets_are_one_line_errors(rng, tmp_path, change, message):
    settings = class_settings(tmp_path, rng, NAMES[:2], 900, **change)
    with pytest.raises(InputError, match=message) as error:
        combine_classes(settings, 1, tmp_path / "jets.h5")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "jets.h5").exists()


def test_errors_name_file_class_and_label(rng, tmp_path):
    write_clouds(tmp_path / "all.h5", ingested_jets(rng, 50, classes=2))
    classes = [{"name": n, "title": n, "file": str(tmp_path / "all.h5"), "label": k} for n, k in (("a", 0), ("b", 9))]
    settings = parse(TaggingJetsSettings, {"classes": classes, "flat": False})
    with pytest.raises(InputError, match=r"all\.h5: class 'b': no jet with 'class' = 9"):
        combine_classes(settings, 1, tmp_path / "jets.h5")
    with pytest.raises(InputError, match=r"all\.h5: class 'a': no label 'kind' among"):
        combine_classes(settings.model_copy(update={"label_column": "kind"}), 1, tmp_path / "jets.h5")
    for wrong, message in (
        ([classes[0], classes[0]], "two of them have the same name"),
        ([classes[0], {**classes[1], "label": 0}], "need a label each, all different"),
        ([classes[0], {**classes[1], "label": None}], "need a label each, all different"),
        ([classes[0], {**classes[1], "name": "B b"}], "name"),
    ):
        with pytest.raises(SettingsError, match=message):
            parse(TaggingJetsSettings, {"classes": wrong})


def test_the_log_says_what_becomes_of_the_jets_of_each_class(rng, tmp_path, capsys):
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, flat=False, jets_per_class=80, max_particles=5)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("combine-classes: ")]
    jets = read_clouds(tmp_path / "jets.h5")
    for position, name in enumerate(NAMES[:2]):
        numbers = {part: np.count_nonzero(jets.label("class")[jets.indices[part]] == position) for part in PARTS}
        of_parts = [f"{number} {part}" for part, number in numbers.items()]
        assert f"combine-classes: class '{name}': jets of each part: {', '.join(of_parts)}" in lines
    lines = lines[:2]
    known = read_clouds(tmp_path / "jets.h5").meta["classes"]
    assert lines == [
        f"combine-classes: class '{item['name']}': 600 jets, {item['accepted']} accepted, 80 of these taken "
        f"(sample.jets_per_class), {item['truncated']} cut to their hardest 5 particles (sample.max_particles)"
        for item in known
    ]
    assert all(80 < item["accepted"] < 600 and item["truncated"] > 0 for item in known)
    whole = settings.model_copy(update={"jets_per_class": None, "max_particles": 15})
    combine_classes(whole, 1, tmp_path / "whole.h5")
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("combine-classes: ")]
    assert lines[0] == f"combine-classes: class '1': 600 jets, {known[0]['accepted']} accepted, all of these taken"
    combine_classes(whole.model_copy(update={"jets_per_class": 599}), 1, tmp_path / "fewer.h5")
    line = "accepted, all of these taken, fewer than 599 (sample.jets_per_class)"
    assert line in capsys.readouterr().err


def test_jets_that_do_not_reach_for_a_learning_curve_are_refused_before_any_training(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, flat=False, jets_per_class=80)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    smallest = int(np.bincount(jets.label("class")[jets.indices["train"]]).min())
    combine_classes(settings.model_copy(update={"learning_curve": (5, smallest)}), 1, tmp_path / "enough.h5")
    with pytest.raises(
        InputError, match=rf"has {smallest} training jets, learning_curve.jets_per_class asks for {smallest + 1}"
    ):
        combine_classes(settings.model_copy(update={"learning_curve": (smallest + 1, 5)}), 1, tmp_path / "few.h5")
    assert not (tmp_path / "few.h5").exists()


@pytest.mark.parametrize(
    ("jets", "refused"),
    [
        (50, None),
        (44, "class '2' of 44 jets has 4 in the validation part"),
        (10, "class '2' of 10 jets has 1 in the validation part"),
    ],
)
def test_a_class_with_a_handful_of_jets_in_each_part_is_needed(rng, tmp_path, capsys, jets, refused):
    """Of a jet a part each tagger that guesses is either perfect or never right."""
    sources = []
    for name, number in (("1", 300), ("2", jets)):
        clouds = ingested_jets(rng, number)
        # Each jet is an event of its own: the parts have exactly their shares.
        labels = clouds.labels.copy()
        labels[:, 1] = np.arange(number)
        write_clouds(tmp_path / f"{name}.h5", replace(clouds, labels=labels))
        sources.append({"name": name, "title": name, "file": str(tmp_path / f"{name}.h5")})
    settings = {"classes": sources, "split": {"train": 0.8, "validation": 0.1}}
    command = ["combine-classes", "--settings", json.dumps(settings), "--seed", "1", "--output", tmp_path / "jets.h5"]
    status = main([str(item) for item in command])
    lines = capsys.readouterr().err.splitlines()
    if refused is None:
        assert status == 0
        assert "combine-classes: class '2': jets of each part: 40 train, 5 validation, 5 test" in lines
        return
    assert status == 3
    assert refused in lines[-1]
    assert "each part needs 5 of each class" in lines[-1]
    assert not (tmp_path / "jets.h5").exists()


def test_without_windows_all_jets_are_taken_and_their_range_is_stored(rng, tmp_path):
    made = class_settings(tmp_path, rng, NAMES[:2], 300)
    combine_classes(TaggingJetsSettings(classes=made.classes, max_particles=15), 1, tmp_path / "jets.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    assert len(jets) == 600
    assert [item["accepted"] for item in jets.meta["classes"]] == [300, 300]
    assert (jets.feature("weight") == 1).all()
    for name, window in jets.meta["windows"].items():
        assert tuple(window) == (jets.feature(name).min(), jets.feature(name).max())


@pytest.mark.parametrize("window", ["pt_window", "mass_window"])
def test_flat_weights_need_windows(rng, tmp_path, window):
    made = class_settings(tmp_path, rng, NAMES[:2], 10)
    with pytest.raises(
        SettingsError, match="flat: weights that are flat in mass and pT need pt_window and mass_window"
    ):
        parse(TaggingJetsSettings, made.model_dump(exclude={window}))


def test_jets_without_particles_are_left_out_and_counted(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, flat=False)
    combine_classes(settings, 1, tmp_path / "whole.h5")
    clouds = read_clouds(settings.classes[0].file)
    inside = clouds.feature("jet_mass")
    chosen = np.flatnonzero((inside >= 300) & (inside <= 700))[:3]
    mask = clouds.mask.copy()
    mask[chosen] = False
    write_clouds(settings.classes[0].file, replace(clouds, mask=mask, points=clouds.points * mask[..., None]))
    combine_classes(settings, 1, tmp_path / "jets.h5")
    whole, made = (read_clouds(tmp_path / f"{name}.h5").meta["classes"] for name in ("whole", "jets"))
    assert [item["without_particles"] for item in made] == [3, 0]
    assert made[0]["accepted"] <= whole[0]["accepted"] - 1
    assert made[1] == whole[1]
    assert (read_clouds(tmp_path / "jets.h5").multiplicity > 0).all()


def test_high_level_features_are_those_of_the_towers(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES[:2], 600, jets_per_class=100)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    high_level(tmp_path / "jets.h5", HighLevelSettings(), tmp_path / "high_level.h5")
    table, meta = read_observables(tmp_path / "high_level.h5")
    jets = read_clouds(tmp_path / "jets.h5")
    names = feature_names("standard")
    assert names[:4] == ("jet_mass", "tau1_beta1", "tau1_beta2", "tau2_beta1")
    assert (len(names), names[-1], len(set(names))) == (17, "tau8_beta2", 17)
    assert set(table) == set(names)
    assert meta["features"] == list(names)
    np.testing.assert_array_equal(table["jet_mass"], jets.feature("jet_mass"))
    pt, eta, phi = momenta(jets)
    # One axis is the jet of all towers; its azimuth and rapidity follow from their sum.
    axis_phi = np.arctan2((pt * np.sin(phi)).sum(axis=1), (pt * np.cos(phi)).sum(axis=1))
    axis_y = 0.5 * np.log((pt * np.exp(eta)).sum(axis=1) / (pt * np.exp(-eta)).sum(axis=1))
    delta_phi = np.abs(phi - axis_phi[:, None])
    squared = (eta - axis_y[:, None]) ** 2 + np.minimum(delta_phi, 2 * np.pi - delta_phi) ** 2
    np.testing.assert_allclose(
        table["tau1_beta2"], (pt * squared).sum(axis=1) / pt.sum(axis=1) / 1.2**2, rtol=1e-8, atol=1e-12
    )
    assert (jet_kinematics(pt, eta, phi)[0] > 0).all()


def test_the_basis_has_135_variables_and_the_mass(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES[:2], 400, jets_per_class=80, flat=False)
    combine_classes(settings, 1, tmp_path / "jets.h5")
    high_level(tmp_path / "jets.h5", HighLevelSettings(features="basis"), tmp_path / "basis.h5")
    high_level(tmp_path / "jets.h5", HighLevelSettings(), tmp_path / "standard.h5")
    basis, standard = (read_observables(tmp_path / f"{name}.h5")[0] for name in ("basis", "standard"))
    assert len(basis) == 136
    for name, values in standard.items():
        np.testing.assert_allclose(basis[name], values, rtol=1e-12)
    assert {"tau45_beta0.5", "tau45_beta1", "tau45_beta2"} <= set(basis)


def test_the_draw_of_one_class_does_not_depend_on_the_others(rng, tmp_path):
    settings = class_settings(tmp_path, rng, NAMES, 600, jets_per_class=80, flat=False)
    combine_classes(settings, 3, tmp_path / "three.h5")
    combine_classes(settings.model_copy(update={"classes": settings.classes[1:]}), 3, tmp_path / "two.h5")
    three, two = (read_clouds(tmp_path / f"{name}.h5") for name in ("three", "two"))
    np.testing.assert_array_equal(three[three.label("class") > 0].features, two.features)
    assert seeds.generator(3, "tagging", "draw", "1").random() != seeds.generator(3, "tagging", "draw", "2").random()


@pytest.mark.parametrize(
    ("columns", "factor", "said"),
    [
        (("jet_phi",), 180 / np.pi, "particles: the particles of a jet lie .* from its axis in phi_rel"),
        (("pt", "jet_pt", "jet_mass"), 1000, "feature 'jet_pt' is .*: expected the pT in GeV"),
        (("jet_mass",), 1000, "feature 'jet_mass' is .* times the mass of the particles"),
        (("phi",), 180 / np.pi, "phi of .* particles is beyond a turn: expected rad"),
    ],
)
def test_own_arrays_in_other_coordinates_or_units_are_refused(rng, tmp_path, columns, factor, said):
    """Nothing has looked at them when they were read, and a tagger tells classes by the degrees of one."""
    settings = class_settings(tmp_path, rng, NAMES[:2], 300, flat=False, pt_window=None, mass_window=None)
    second = ingested_jets(rng, 300)
    points, features = second.points.copy(), second.features.copy()
    for values, known in ((points, second.point_columns), (features, second.feature_columns)):
        for place, column in enumerate(known):
            values[..., place] *= factor if column.name in columns else 1
    write_clouds(tmp_path / f"{NAMES[1]}.h5", replace(second, points=points, features=features))
    with pytest.raises(InputError, match=f"class '{NAMES[1]}': {said}"):
        combine_classes(settings, 1, tmp_path / "jets.h5")
    assert not (tmp_path / "jets.h5").exists()
