"""Classes of jets that were not made alike, which taggers would tell by how they were made."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tagging_files import class_settings, ingested_jets

from cloudchamber.classification.jets import combine_classes
from cloudchamber.classification.made_with import made_with
from cloudchamber.classification.origins import (
    cut_of_classes,
    detectors_of_classes,
    difference,
    typical_pt,
    units_of_classes,
)
from cloudchamber.cloud_file import read_clouds, read_header
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.jets.relative import RELATIVE_COLUMNS, relative_points

CLOUDS = {"kind": "reclustered", "algorithm": "anti-kt", "radius": 0.8, "constituents": "tower", "pile_up": None}


def combined(
    folder: Path, change: dict[str, Any], collections: list[str], width: int, cut: int, **settings: Any
) -> dict[str, Any]:
    """Combine a class of towers with R = 0.8 with another one and return the meta data of the file."""
    made = class_settings(folder, np.random.default_rng(2), ["1", "2"], 600, **settings)
    for item, clouds, used, slots, truncated in (
        (made.classes[0], CLOUDS, ["Tower"], 12, 0),
        (made.classes[1], {**CLOUDS, **change}, collections, width, cut),
    ):
        jets = read_clouds(item.file)
        meta = {
            "provenance": {"settings": {"clouds": clouds, "max_particles": slots}},
            "constituents": {"collections": used},
            "truncation": {"clouds_truncated": truncated},
        }
        write_clouds(
            Path(item.file), replace(jets, points=jets.points[:, :slots], mask=jets.mask[:, :slots], meta=meta)
        )
    combine_classes(made, 1, folder / "jets.h5")
    return read_header(folder / "jets.h5")


@pytest.mark.parametrize(
    ("change", "collections", "width", "cut", "said"),
    [
        ({"radius": 1.0}, ["Tower"], 12, 0, "'radius' is 0.8 of class '1' and 1.0 of class '2'"),
        ({"constituents": "particle"}, ["Particle"], 12, 0, "of class '1' and .* of class '2'"),
        ({}, ["ParticleFlowCandidate"], 12, 0, "'collections' is Tower of class '1' and ParticleFlowCandidate of"),
        ({"pile_up": "leave_out"}, ["Tower"], 12, 0, "'pile_up' is keep of class '1' and leave_out of class '2'"),
        ({}, ["Tower"], 8, 30, "'max_particles' is 15 of class '1' and 8 of class '2'"),
    ],
)
def test_classes_that_were_not_made_alike(
    change: dict[str, Any],
    collections: list[str],
    width: int,
    cut: int,
    said: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(InputError, match=f"{said}.*mixed_classes: accept"):
        combined(tmp_path, change, collections, width, cut)
    assert not (tmp_path / "jets.h5").exists()
    meta = combined(tmp_path, change, collections, width, cut, mixed_classes="accept")
    assert meta["mixed_classes"] in capsys.readouterr().err
    # What a tagger is told of the jets that it learns from.
    key = next(iter(set(change) & {"radius", "constituents", "pile_up"} or {"collections"}))
    usual = {"radius": "0.8", "constituents": "tower", "pile_up": "keep", "collections": "Tower"}[key]
    assert [meta["made_with"][name][key] for name in ("1", "2")] == [usual, str(change.get(key, collections[0]))]
    assert [of["constituents"]["collections"] for of in meta["read_from"].values()] == [["Tower"], collections]


def of_towers(leaves: list[str], size: str) -> dict[str, Any]:
    return {
        "constituents": {"collections": ["Tower"]},
        "leaves": {"Tower": leaves, "Jet": [size]},
        "cells": {"Tower": {"0.017 x 0.017": 300, size: 100}},
    }


def test_classes_of_two_cards_or_versions(tmp_path: Path) -> None:
    atlas = of_towers(["ET", "Eta"], "0.100 x 0.175")
    cms, later = of_towers(["ET", "Eta"], "0.087 x 0.087"), of_towers(["ET", "Eta", "IsPU"], "0.100 x 0.175")
    # Leaves of stored jets, as b-tags, are none of constituents; what clouds do not say is no difference.
    assert detectors_of_classes({"a": atlas, "b": {**atlas, "leaves": {"Jet": []}}, "c": {}}) is None
    cells = (
        "class 'b': cells of Tower have the size 0.087 x 0.087 in eta and phi, of class 'a' 0.100 x 0.175, as of two"
    )
    assert str(detectors_of_classes({"a": atlas, "b": cms})).startswith(cells)
    leaves = "class 'c': has Tower.IsPU, unlike class 'a', as of files that two programs wrote"
    assert detectors_of_classes({"a": atlas, "b": atlas, "c": later}) == leaves
    made = class_settings(tmp_path, np.random.default_rng(2), ["1", "2"], 600)
    for item, meta in zip(made.classes, (atlas, cms), strict=True):
        write_clouds(Path(item.file), replace(read_clouds(item.file), meta=meta))
    with pytest.raises(
        InputError, match=r"class '2': cells of Tower have the size .* of class '1' .*mixed_classes: accept"
    ):
        combine_classes(made, 1, tmp_path / "jets.h5")


def test_classes_of_other_pile_up(tmp_path: Path) -> None:
    def meta(kept: int, events: int, left_out: int = 0, told_by: tuple[str, ...] = ("Tower.IsPU",)) -> dict[str, Any]:
        counted = {"constituents": kept + left_out, "left_out": left_out, "told_by": list(told_by)}
        return {"pile_up": counted, "events": {"read": events}}

    hard, soft = meta(0, 1500), meta(400_000, 1500)
    said = "class 'b': 267 constituents of an event come from pile-up, of class 'a' it is 0"
    assert detectors_of_classes({"a": hard, "b": soft}) == said
    assert detectors_of_classes({"a": soft, "b": meta(150_000, 1500)}) is not None
    alike = {"a": soft, "b": meta(260_000, 1000), "few": meta(0, 3), "silent": meta(0, 1500, told_by=())}
    assert detectors_of_classes(alike) is None
    assert detectors_of_classes({"a": hard, "b": meta(0, 1500, 400_000)}) is None
    made = class_settings(tmp_path, np.random.default_rng(2), ["1", "2"], 600)
    for item, of_class in zip(made.classes, (hard, soft), strict=True):
        write_clouds(Path(item.file), replace(read_clouds(item.file), meta=of_class))
    with pytest.raises(InputError, match=r"class '2': 267 constituents .* of class '1' it is 0.*mixed_classes: accept"):
        combine_classes(made, 1, tmp_path / "jets.h5")


def test_candidates_with_and_without_puppi_weights_whoever_said_so(rng: np.random.Generator) -> None:
    jets = ingested_jets(rng, 4)
    made = []
    for said in (None, True, False):
        clouds = {"kind": "stored", "collection": "FatJet", "puppi": said}
        meta = {"provenance": {"settings": {"layout": "nanoaod", "clouds": clouds}}}
        made.append((str(said), made_with(replace(jets, meta=meta), 12)))
    assert difference(made[:2]) is None
    assert difference(made[1:]) == "'puppi' is True of class 'True' and False of class 'False'"


def test_classes_in_other_units(rng: np.random.Generator) -> None:
    jets = ingested_jets(rng, 50)
    other = replace(jets, points=jets.points * np.float32([1000, 1, 1]))
    typical = {"gev": typical_pt(jets), "mev": typical_pt(other), "empty": typical_pt(jets[[]])}
    assert typical["empty"] is None
    found = units_of_classes(typical)
    assert found is not None
    assert re.match(r"the typical pT of particles is [\d.]+ of class 'gev' and [\d.e+]+ of class 'mev'", found)
    assert units_of_classes({"gev": typical["gev"], "empty": None, "same": typical["gev"]}) is None
    # Prepared jets are in units of their own pT.
    relative = replace(jets, points=relative_points(jets), point_columns=RELATIVE_COLUMNS)
    assert typical_pt(relative) == pytest.approx(typical_pt(jets), rel=1e-5)


def test_a_class_that_was_cut_before_it_was_read(rng: np.random.Generator) -> None:
    """Whatever the settings say: the jets of one file have 30 particles at most, those of the other go on."""
    one, other = rng.poisson(40, (2, 2000))
    assert cut_of_classes({"qcd": one, "top": other}) is None
    assert cut_of_classes({"qcd": np.minimum(one, 30), "top": np.minimum(other, 30)}) is None
    said = cut_of_classes({"qcd": np.minimum(one, 30), "top": other})
    cut = np.count_nonzero(one >= 30)
    assert said is not None
    assert said.startswith(f"{cut} of 2000 jets of class 'qcd' have 30 constituents and none has more, those")
    # A cut in the tail is seen where some jets reach it, and classes of jets that are smaller by nature are not cut.
    assert cut_of_classes({"qcd": np.minimum(one, 52), "top": other}) is not None
    assert cut_of_classes({"qcd": rng.poisson(15, 2000), "top": other}) is None


def test_a_class_that_was_cut_is_refused(tmp_path: Path) -> None:
    made = class_settings(tmp_path, np.random.default_rng(2), ["1", "2"], 600)
    for number, most in ((0, 40), (1, 100)):
        path = Path(made.classes[number].file)
        jets = read_clouds(path)
        features = jets.features.copy()
        place = [column.name for column in jets.feature_columns].index("n_constituents")
        features[:, place] = np.minimum(np.random.default_rng(number).poisson(45, len(jets)), most)
        write_clouds(path, replace(jets, features=features))
    with pytest.raises(InputError, match=r"jets of class '1' have 40 constituents and none has more.*mixed_classes"):
        combine_classes(made, 1, tmp_path / "jets.h5")


def test_a_class_in_mev_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    """Of files, of which a warning alone was given when they were read."""
    made = class_settings(tmp_path, rng, ["1", "2"], 600)
    windowless = made.model_copy(update={"pt_window": None, "mass_window": None, "eta_max": None, "flat": False})
    jets = read_clouds(made.classes[1].file)
    points, features = jets.points * np.float32([1000, 1, 1]), jets.features.copy()
    features[:, [0, 3]] *= 1000
    of_files = {"provenance": {"settings": {}}}
    write_clouds(Path(made.classes[1].file), replace(jets, points=points, features=features, meta=of_files))
    with pytest.raises(InputError, match="as in different units: taggers would tell these apart"):
        combine_classes(windowless, 1, tmp_path / "jets.h5")
    assert not (tmp_path / "jets.h5").exists()


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ({"pt_window": [980, 1100]}, r"pt_window 980 to 1100, \d+ of \d+ jets of class '1' are outside"),
        ({"mass_window": [280, 400]}, r"mass_window 280 to 400, \d+ of \d+ jets of class '1' are outside"),
        ({"eta_max": 1.0}, r"eta_max -1 to 1, \d+ of \d+ jets of class '1' are outside"),
    ],
)
@pytest.mark.parametrize("labelled", [False, True])
def test_classes_that_came_through_other_windows(
    window: dict[str, Any], said: str, labelled: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tagger would tell them by what the window takes away."""
    everything = {"pt_window": None, "mass_window": None, "eta_max": None, "flat": False}
    made = class_settings(tmp_path, np.random.default_rng(2), ["1", "2"], 600, **everything)
    for item, windows in zip(made.classes, ({}, window), strict=True):
        jets = read_clouds(item.file)
        ingestion = {"layout": "jetclass", **windows} if labelled else {"clouds": {**CLOUDS, **windows}}
        for key, (low, high) in ((k, (-v, v) if k == "eta_max" else v) for k, v in windows.items()):
            values = jets.feature({"pt_window": "jet_pt", "mass_window": "jet_mass", "eta_max": "jet_eta"}[key])
            jets = jets[(values >= low) & (values <= high)]
        write_clouds(Path(item.file), replace(jets, meta={"provenance": {"settings": ingestion}}))
    with pytest.raises(InputError, match=rf"jets of class '2' were ingested with {said}.*mixed_classes: accept"):
        combine_classes(made, 1, tmp_path / "jets.h5")
    assert not (tmp_path / "jets.h5").exists()
    # A window of the sample is one of all classes.
    sample = window if "eta_max" in window else {key: tuple(values) for key, values in window.items()}
    combine_classes(made.model_copy(update=sample), 1, tmp_path / "jets.h5")
    assert "WARNING" not in capsys.readouterr().err
    combine_classes(made.model_copy(update={"mixed_classes": "accept"}), 1, tmp_path / "jets.h5")
    assert "WARNING: jets of class '2' were ingested with" in capsys.readouterr().err


def test_windows_and_widths_that_cut_nothing_do_not_matter(tmp_path: Path) -> None:
    meta = combined(tmp_path, {"mass_window": [0, 100], "truth_match": {"prongs": 3}}, ["Tower"], 12, 0)
    assert meta["mixed_classes"] == ""


def test_files_that_say_nothing_are_like_all_others_and_two_kinds_of_files_are_not() -> None:
    ours, labelled = {"kind": "reclustered", "max_particles": "9"}, {"layout": "jetclass", "max_particles": "9"}
    assert difference([("a", {}), ("b", ours)]) is None
    assert (
        difference([("a", ours), ("b", labelled)]) == "class 'a' and class 'b' are read from files of different kinds"
    )
