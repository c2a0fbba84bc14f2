"""Figures of the jets that taggers learn from: weighted fractions, turning, and that all classes are drawn."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from figure_texts import text_faults
from matplotlib.figure import Figure

from cloudchamber.cloud import Clouds, Column
from cloudchamber.errors import InputError
from cloudchamber.figures.images import average_image
from cloudchamber.figures.style import applied
from cloudchamber.jets.relative import RELATIVE_COLUMNS
from cloudchamber.studies.tagging.figures.sample import tagging_images, tagging_jets, turned, weighted_histogram

FEATURES = ("jet_pt", "jet_eta", "jet_phi", "jet_mass", "n_constituents", "weight")
WINDOWS = {"jet_pt": [1000, 1200], "jet_mass": [300, 700], "jet_eta": [-2, 2]}


@pytest.fixture
def jets(rng) -> Clouds:
    """Jets of three classes, 40 each, with weights."""
    n, width = 120, 12
    multiplicity = rng.integers(3, width + 1, n)
    mask = np.arange(width) < multiplicity[:, None]
    pt = -np.sort(-rng.exponential(1, (n, width)), axis=1) * mask
    points = np.stack([rng.normal(0, 0.3, (n, width)), rng.normal(0, 0.3, (n, width)), pt], axis=-1)
    points[..., 2] /= points[..., 2].sum(axis=1, keepdims=True)
    features = [
        rng.uniform(1000, 1200, n),
        rng.uniform(-2, 2, n),
        rng.uniform(-3, 3, n),
        rng.uniform(300, 700, n),
        multiplicity,
        rng.uniform(0.5, 2, n),
    ]
    return Clouds(
        points=(points * mask[..., None]).astype(np.float32),
        mask=mask,
        features=np.column_stack(features).astype(np.float32),
        labels=np.arange(n)[:, None] % 3,
        point_columns=RELATIVE_COLUMNS,
        feature_columns=tuple(Column(name) for name in FEATURES),
        label_columns=(Column("class"),),
        meta={"classes": [{"title": name} for name in ("QCD", "W", "top")], "windows": WINDOWS},
    )


def test_weighted_fractions_and_their_uncertainty(rng) -> None:
    """Against loops, and against the spread of many samples."""
    edges = np.array([0.0, 0.25, 0.5, 1.0])
    values, weights = rng.uniform(-0.1, 1.1, 500), rng.exponential(1, 500)
    found = weighted_histogram(values, weights, edges)
    clipped = np.clip(values, 0, 1 - 1e-9)
    for k in range(3):
        inside = (clipped >= edges[k]) & (clipped < edges[k + 1])
        assert found.counts[k] == inside.sum()
        assert found.fractions[k] == pytest.approx(weights[inside].sum() / weights.sum())
    spread = np.std(
        [weighted_histogram(rng.uniform(-0.1, 1.1, 500), rng.exponential(1, 500), edges).fractions for _ in range(400)],
        axis=0,
    )
    np.testing.assert_allclose(found.errors, spread, rtol=0.2)


def test_turned_jets_keep_all_distances_and_lie_along_eta(jets: Clouds) -> None:
    new = turned(jets)
    old, points = jets.points.astype(np.float64), new.points.astype(np.float64)
    np.testing.assert_array_equal(new.point("pt_rel"), jets.point("pt_rel"))
    for values in (old, points):
        values[..., :2] *= jets.mask[..., None]
    differences = [np.linalg.norm(p[:, :, None, :2] - p[:, None, :, :2], axis=-1) for p in (old, points)]
    np.testing.assert_allclose(differences[1], differences[0], atol=1e-5)
    eta, phi, pt = np.moveaxis(points, -1, 0)
    np.testing.assert_allclose((pt * eta * phi).sum(axis=1), 0, atol=1e-6)
    assert ((pt * eta**2).sum(axis=1) >= (pt * phi**2).sum(axis=1) - 1e-6).all()
    assert (eta[:, 0] >= 0).all()
    assert (phi[:, 0] >= 0).all()


def test_average_image_with_weights(jets: Clouds) -> None:
    """A jet of weight two counts as two jets."""
    edges = np.linspace(-1, 1, 9)
    weights = np.ones(len(jets))
    weights[7] = 2.0
    twice = jets[np.append(np.arange(len(jets)), 7)]
    np.testing.assert_allclose(average_image(jets, edges, weights), average_image(twice, edges), rtol=1e-12)


def test_all_classes_are_drawn(jets: Clouds) -> None:
    with applied():
        kinematics, images = tagging_jets(jets, "own jets"), tagging_images(jets, "own jets")
    assert [text.get_text() for text in kinematics.legends[0].get_texts()] == ["flat", "QCD", "W", "top"]
    assert len(kinematics.axes) == 6
    panels = [axis for axis in images.axes if axis.get_title()]
    assert [axis.get_title() for axis in panels] == ["QCD", "W", "top"]
    assert [len(axis.images) for axis in images.axes[:6]] == [1] * 6
    # Turned jets have no axes of the detector.
    assert [axis.get_ylabel() for axis in images.axes[:6:3]] == [
        r"$\phi^\mathrm{rel}$ [rad]",
        r"$\phi^\prime$ [rad], turned",
    ]
    assert {axis.get_xlabel() for axis in images.axes[3:6]} == {r"$\eta^\prime$"}
    assert images.get_suptitle() == "own jets: 40 jets per class"


@pytest.mark.parametrize("draw", [tagging_jets, tagging_images])
@pytest.mark.parametrize("classes", [("QCD", "W", "top"), ("N = 1 (QCD)", "X decays to W bosons", "N = 4b")])
def test_all_texts_can_be_read(draw: Callable[[Clouds, str], Figure], classes: tuple[str, ...], jets: Clouds) -> None:
    named = replace(jets, meta={**jets.meta, "classes": [{"title": name} for name in classes]})
    with applied():
        assert text_faults(draw(named, "own jets")) == []


def test_a_class_without_jets(jets: Clouds) -> None:
    with pytest.raises(InputError, match="no jets of class 'top'"):
        tagging_jets(jets[jets.label("class") < 2], "own jets")
