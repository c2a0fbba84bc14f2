"""Memorisation: copies are found, and nothing else is taken for one."""

import math
from dataclasses import replace

import numpy as np
import pytest

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.metrics.memorisation import memorisation


def jets(rng: np.random.Generator, n_jets: int, width: int = 8, least: int = 1) -> Clouds:
    """Jets of ``least`` to ``width`` particles with exponential momenta."""
    mask = np.arange(width) < rng.integers(least, width + 1, n_jets)[:, None]
    pt = rng.exponential(size=(n_jets, width)) * mask
    pt /= pt.sum(axis=1, keepdims=True)
    points = np.concatenate([rng.normal(0.0, 0.3, (n_jets, width, 2)) * mask[:, :, None], pt[:, :, None]], axis=2)
    return Clouds(
        points=points.astype(np.float32),
        mask=mask,
        features=np.zeros((n_jets, 0), np.float32),
        labels=np.zeros((n_jets, 0), np.int64),
        point_columns=tuple(Column(name) for name in ("eta_rel", "phi_rel", "pt_rel")),
    )


def joined(*parts: Clouds) -> Clouds:
    return replace(
        parts[0],
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in ("points", "mask", "features")},
        labels=np.concatenate([part.labels for part in parts]),
    )


@pytest.fixture
def parts(rng) -> tuple[Clouds, Clouds]:
    return jets(rng, 1500), jets(rng, 1200)


def nearest(jet: np.ndarray, among: np.ndarray) -> float:
    """The smallest distance between particles in order of momentum, written plainly."""

    def vector(points: np.ndarray) -> np.ndarray:
        eta, phi, pt = points[np.argsort(-points[:, 2])].astype(np.float64).T
        return np.concatenate([pt, pt * eta, pt * phi])

    return min(np.linalg.norm(vector(jet) - vector(other)) for other in among)


def test_shares_are_those_of_a_plain_search(rng):
    train, test, generated = jets(rng, 40), jets(rng, 60), jets(rng, 30)
    train.points[:5], train.mask[:5] = generated.points[:5], generated.mask[:5]
    held_out, rest = test.points[:30], test.points[30:]
    found = memorisation(train, test, generated)
    for sample, estimate in zip((generated.points, rest), found["memorisation"], strict=True):
        share = np.mean([nearest(jet, train.points) < nearest(jet, held_out) for jet in sample])
        assert estimate.value == pytest.approx((share - 4 / 7) / (3 / 7), rel=1e-12)
    assert [estimate.value for estimate in found["duplicates"]] == [5 / 30, 0.0]


def test_fresh_truth_scores_zero(rng, parts):
    found = memorisation(*parts, jets(rng, 2000))
    for estimate in found["memorisation"]:
        assert estimate.value == pytest.approx(0.0, abs=3 * estimate.uncertainty)
        assert estimate.uncertainty < 0.2
    for estimate in found["duplicates"]:
        assert estimate.value == 0.0
        assert 0.0 < estimate.uncertainty < 2e-3


@pytest.mark.parametrize(("least", "width"), [(2, 3), (7, 8)])
def test_other_multiplicities_are_not_taken_for_copies(rng, parts, least, width):
    """Jets of few particles lie closer to training jets, those of many farther off."""
    found, _ = memorisation(*parts, jets(rng, 2000, width, least))["memorisation"]
    assert found.value == pytest.approx(0.0, abs=3 * found.uncertainty)
    assert found.uncertainty < 0.3


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_share_of_copies_is_found(rng, parts, share):
    train, test = parts
    n_copies = round(1000 * share)
    generated = joined(train[rng.permutation(len(train))[:n_copies]], jets(rng, 1000 - n_copies))
    found = memorisation(train, test, generated)
    value, _ = found["memorisation"]
    assert value.value == pytest.approx(share, abs=4 * value.uncertainty)
    assert value.uncertainty < 0.2
    assert found["duplicates"][0].value == share


def test_jitter_hides_duplicates_but_not_memorisation(rng, parts):
    train, test = parts
    generated = train[:1000]
    for jitter, duplicates in ((1e-6, 1.0), (1e-2, 0.0)):
        points = generated.points * (1 + jitter * rng.normal(size=generated.points.shape)).astype(np.float32)
        found = memorisation(train, test, replace(generated, points=points))
        assert found["memorisation"][0].value > 0.95
        assert found["duplicates"][0].value == pytest.approx(duplicates, abs=0.01)


def test_neither_order_nor_padding_nor_negative_momenta_hide_copies(parts):
    train, test = parts
    points = np.concatenate([train.points[:200, ::-1], np.full((200, 3, 3), -0.1, np.float32)], axis=1)
    generated = replace(train[:200], points=points, mask=np.ones(points.shape[:2], bool))
    found = memorisation(train, test, generated)
    assert found["memorisation"][0].value == 1.0
    assert found["duplicates"][0].value == 1.0


@pytest.mark.parametrize(("generated", "copies"), [(100, 0), (100, 50), (1000, 0)])
def test_the_uncertainty_is_the_spread_of_repeated_shares(rng, generated, copies):
    """Also where most neighbours are shared by many jets."""
    values, claimed = np.empty(150), np.empty(150)
    for repeat in range(150):
        train = jets(rng, 100, 5)
        sample = joined(train[:copies], jets(rng, generated - copies, 5))
        values[repeat], claimed[repeat] = memorisation(train, jets(rng, 200, 5), sample)["memorisation"][0]
    assert values.mean() == pytest.approx(copies / generated, abs=4 * values.std() / math.sqrt(150))
    assert values.std(ddof=1) == pytest.approx(math.sqrt((claimed**2).mean()), rel=4 / math.sqrt(2 * 150))


def test_copies_of_different_jets_alone_have_the_uncertainty_of_their_few_neighbours(rng):
    """A share of one is not certain, however well it fits: as if one jet more were a copy and one were not."""
    train, test = jets(rng, 6), jets(rng, 8)
    value, _ = memorisation(train, test, train[:3])["memorisation"]
    # Three of the ten pooled jets are a neighbour once: variance 7/30. Four of five for the share.
    assert value.value == 1.0
    assert value.uncertainty == pytest.approx(math.sqrt(4 / 25 * 10 * 7 / 30) / 3 / (4 / 10), rel=1e-12)


def test_jets_that_are_held_out_too_are_no_copies(rng, parts):
    train, test = parts
    found = memorisation(train, joined(train[:50], test[:50]), train[:50])
    assert found["duplicates"][0].value == 0.0
    assert found["memorisation"][0].value < 0.0


@pytest.mark.parametrize("features", [True, False])
def test_jets_of_one_particle_are_no_copies_and_no_others_either(rng, features, capsys):
    """Relative to their axis all of them are equal: (0, 0, 1)."""

    def some_of_one_particle(number: int) -> Clouds:
        clouds = jets(rng, number)
        of_one = rng.random(number) < 0.2
        clouds.points[of_one], clouds.mask[of_one] = 0.0, False
        clouds.points[of_one, 0], clouds.mask[of_one, 0] = (0.0, 0.0, 1.0), True
        pt = rng.uniform(500, 600, (number, 1)).astype(np.float32)
        beside = (pt, (Column("jet_pt", "GeV"),)) if features else (pt[:, :0], ())
        return Clouds(clouds.points, clouds.mask, beside[0], clouds.labels, clouds.point_columns, beside[1], ())

    found = memorisation(*(some_of_one_particle(number) for number in (2000, 1000, 1000)))
    for estimate in found["memorisation"]:
        assert estimate.value == pytest.approx(0.0, abs=3 * estimate.uncertainty)
        assert estimate.uncertainty < 0.2
    assert [estimate.value for estimate in found["duplicates"]] == [0.0, 0.0]
    assert "not alike" not in capsys.readouterr().err


def test_too_few_jets_are_errors(parts):
    train, test = parts
    with pytest.raises(InputError, match="2 or more test jets, there are 1"):
        memorisation(train, test[:1], train)
    with pytest.raises(InputError, match="1 or more generated jets, there are 0"):
        memorisation(train, test, train[:0])
