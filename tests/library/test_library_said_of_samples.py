"""What the library says of samples that are not what metrics take them for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from library_arrays import arrays
from prepared_jets import prepared_jets

import cloudchamber as cc
from cloudchamber.cloud import Clouds


@pytest.fixture(scope="module")
def jets() -> tuple[Clouds, Clouds, Clouds]:
    """Return test part, sample and training part."""
    truth = prepared_jets(400, 8)
    sample = replace(prepared_jets(150, 8, seed=9), labels=np.zeros((150, 0), np.int64), label_columns=())
    return truth.part("test"), sample, truth.part("train")


@pytest.mark.parametrize("metric", ["w1m", "w1p", "w1efp", "coverage", "mmd"])
def test_a_floor_of_the_truth_itself_is_said(
    jets: tuple[Clouds, ...], metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, sample, more = jets
    options = {"jets": 20, "batches": 2} if metric in {"coverage", "mmd"} else {}
    getattr(cc, metric)(truth, sample, more, **options)
    assert "not independent" not in capsys.readouterr().err
    # In another order, and as another program may hold them.
    getattr(cc, metric)(truth, sample[:100], truth.points[::-1], **options)
    assert "cloudchamber: WARNING: " in (said := capsys.readouterr().err)
    assert " jets of 'floor' are jets of 'truth': they are not independent" in said


@pytest.mark.parametrize("metric", ["kl", "w1", "fpd", "kpd"])
def test_numbers_of_the_truth_itself_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    size = (200,) if metric in {"kl", "w1"} else (200, 3)
    truth, generated, more = rng.normal(size=(3, *size))
    getattr(cc, metric)(truth, generated, more)
    # Numbers that few values are taken of are alike by chance.
    getattr(cc, metric)(*rng.integers(0, 40, (3, *size)) if truth.ndim == 1 else (truth, generated))
    assert capsys.readouterr().err == ""
    getattr(cc, metric)(truth, generated, truth[::-1])
    said = "cloudchamber: WARNING: 200 of 200 rows of 'floor' are rows of 'truth': they are not independent\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("function", ["memorisation", "duplicates", "compare"])
def test_training_jets_that_are_test_jets_are_said(
    jets: tuple[Clouds, ...], function: str, capsys: pytest.CaptureFixture[str]
) -> None:
    truth, sample, train = jets
    options = (
        {"settings": {"bins": 10, "bootstraps": 20, "energy_mover_jets": 20, "energy_mover_batches": 3}}
        if function == "compare"
        else {}
    )
    for known, name in ((train, ""), (truth, "train")):
        given = (truth, sample[:100], known) if function == "compare" else (known, truth, sample)
        getattr(cc, function)(*given, **options)
        assert (
            f" jets of '{name}' are jets of '{'truth' if function == 'compare' else 'test'}'" in capsys.readouterr().err
        ) == bool(name)


@pytest.mark.parametrize("metric", ["kl", "w1"])
def test_zeros_of_empty_slots_that_count_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of jets with other numbers of particles, the divergence of pt_rel is that of these numbers."""
    mask = [np.arange(10) < numbers[:, None] for numbers in rng.integers([[2], [6]], [[5], [9]], (2, 60))]
    values = [rng.exponential(size=(60, 10)) * of_side for of_side in mask]
    getattr(cc, metric)(*values)
    said = capsys.readouterr().err
    for of_side, name in zip(mask, ("truth", "generated"), strict=True):
        zeros = 600 - np.count_nonzero(of_side)
        assert f"cloudchamber: WARNING: {zeros} of 600 numbers of '{name}' are zeros at the ends of jets" in said
    getattr(cc, metric)(*(np.ma.array(side, mask=~of_side) for side, of_side in zip(values, mask, strict=True)))
    assert "zeros" not in capsys.readouterr().err
    # A mask that is true for particles, as elsewhere, leaves the particles out.
    getattr(cc, metric)(*(np.ma.array(side, mask=of_side) for side, of_side in zip(values, mask, strict=True)))
    assert capsys.readouterr().err.count("zeros at the ends of jets") == 2
    getattr(cc, metric)(*(rng.integers(-1, 2, (60, 10)) + 0.5 for _ in range(2)))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("metric", ["w1m", "mmd"])
def test_samples_of_which_one_was_cut_are_said(
    rng: np.random.Generator, metric: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Jets of 30 hardest particles beside whole ones, as of JetNet30 and JetNet150."""
    whole = rng.exponential(size=(2, 200, 60, 3)) * (np.arange(60) < rng.integers(10, 60, (2, 200, 1)))[..., None] / 60
    getattr(cc, metric)(*whole)
    assert "were cut" not in capsys.readouterr().err
    truth = np.take_along_axis(whole[0], np.argsort(-whole[0, :, :, 2:], axis=1), axis=1)[:, :30]
    getattr(cc, metric)(truth, whole[1])
    assert " jets of 'truth' have 30 particles and none has more, those of another" in capsys.readouterr().err
    getattr(cc, metric)(truth, truth[:100] * 0.99)
    assert "were cut" not in capsys.readouterr().err


@pytest.mark.parametrize("metric", ["w1m", "fpd"])
@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize(
    ("its", "said"),
    [
        ({"pile_up": 9000}, "60 constituents of an event come from pile-up, of 'truth' it is 0"),
        ({"size": "0.087 x 0.087"}, "cells of Tower have the size 0.087 x 0.087 in eta and phi, of 'truth' 0.1"),
        ({"leaf": "IsPU"}, "has Tower.IsPU and lacks Tower.T, unlike 'truth', as of files that two programs wrote"),
        ({"collection": "ParticleFlowCandidate"}, "constituents are in ParticleFlowCandidate, of 'truth' in Tower"),
        ({}, None),
    ],
)
def test_jets_of_files_of_another_detector_are_said(
    jets: tuple[Clouds, ...],
    metric: str,
    prepared: bool,
    its: dict[str, Any],
    said: str | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The settings are the same: what differs is the pile-up, card or version of Delphes of the files."""

    def made(
        clouds: Clouds, pile_up: int = 0, size: str = "0.1 x 0.1", leaf: str = "T", collection: str = "Tower"
    ) -> Clouds:
        record = {"step": "ingest", "settings": {"clouds": {}}, "inputs": {"/data/a.root": "a"}, "seed": None}
        of_files = {
            "provenance": record,
            "constituents": {"collections": [collection]},
            "leaves": {collection: ["ET", leaf]},
            "cells": {collection: {size: 100}},
            "pile_up": {"constituents": pile_up, "left_out": 0, "told_by": ["Tower.IsPU"]},
            "events": {"read": 150},
        }
        after = {"step": "prepare", "settings": {}, "inputs": {"/data/clouds.h5": "b"}, "seed": 1}
        meta = {"provenance": after, "source": of_files} if prepared else of_files
        return replace(clouds, meta={**clouds.meta, **meta})

    truth, sample, more = jets
    getattr(cc, metric)(made(truth), made(sample, **its), more)
    lines = [line for line in capsys.readouterr().err.splitlines() if "'generated': " in line]
    assert len(lines) == (said is not None)
    assert said is None or lines[0].startswith(f"cloudchamber: WARNING: 'generated': {said}")


@pytest.mark.parametrize("metric", ["w1m", "fpd"])
@pytest.mark.parametrize("prepared", [False, True])
def test_jets_that_were_made_with_other_settings_are_said(
    jets: tuple[Clouds, ...], metric: str, prepared: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the command 'compare' says it: of clouds as they were ingested, and of prepared ones."""

    def made(clouds: Clouds, radius: float) -> Clouds:
        settings = {"layout": "delphes", "clouds": {"kind": "reclustered", "radius": radius}, "max_particles": 8}
        record = {"step": "ingest", "settings": settings, "inputs": {"/data/a.root": "a"}, "seed": None}
        after = {"step": "prepare", "settings": {}, "inputs": {"/data/clouds.h5": "b"}, "seed": 1}
        meta = {"provenance": after, "source": {"provenance": record}} if prepared else {"provenance": record}
        return replace(clouds, meta={**clouds.meta, **meta})

    truth, sample, more = jets
    getattr(cc, metric)(made(truth, 0.8), made(sample, 0.8), more)
    assert "other settings" not in capsys.readouterr().err
    getattr(cc, metric)(made(truth, 0.8), made(sample, 0.4), more)
    assert (
        "cloudchamber: WARNING: 'generated': jets made with other settings than those of 'truth': clouds.radius is 0.4,"
        " and not 0.8\n"
    ) in capsys.readouterr().err


def test_jets_of_a_sample_that_are_there_again_are_said(
    rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a loop that draws with one seed: the floor is of as many jets as there are different ones, and more."""
    truth, sample = arrays(rng, jets=60), arrays(rng, jets=30)
    several = int(((sample != 0).any(axis=2).sum(axis=1) > 1).sum())
    cc.w1m(truth, sample)
    assert capsys.readouterr().err == ""
    cc.w1m(truth, np.concatenate([sample, sample]))
    said = f"WARNING: {several} of 60 jets of 'generated' are earlier ones of it again, and count as others\n"
    assert capsys.readouterr().err == f"cloudchamber: {said}"
    cc.w1m(np.concatenate([sample, sample]), truth)
    assert f"{several} of 60 jets of 'truth' are earlier ones of it again" in capsys.readouterr().err
