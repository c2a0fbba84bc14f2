"""What becomes of event weights: refused, drawn by, or kept, in the preparation and for taggers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepared_jets import raw_jets

from cloudchamber.classification.flat_weights import flat_weights
from cloudchamber.classification.jet_data import read_tagging_jets
from cloudchamber.classification.jets import combine_classes
from cloudchamber.cloud import Clouds, Column
from cloudchamber.cloud_file import read_clouds
from cloudchamber.cloud_writer import write_clouds
from cloudchamber.errors import InputError
from cloudchamber.preparation.prepare import prepare
from cloudchamber.preparation.splits import read_split
from cloudchamber.preparation.unweighting import effective_size, unweight
from cloudchamber.provenance.contents import read_contents
from cloudchamber.settings.data import PreparationSettings
from cloudchamber.settings.tagging_sample import FlatWeightSettings, TaggingJetsSettings

JETS = 2000


def weighted_jets(weights: np.ndarray, seed: int = 3) -> Clouds:
    """Return jets, two per event, with the weights of their events (N / 2,)."""
    jets = raw_jets(2 * len(weights), 6, np.random.default_rng(seed))
    column = np.repeat(weights, 2)[:, None].astype(np.float32)
    return replace(
        jets,
        features=np.concatenate([jets.features, np.full_like(column, 4.0), column], axis=1),
        feature_columns=(*jets.feature_columns, Column("n_constituents"), Column("event_weight", "pb")),
    )


@pytest.fixture
def weights(rng: np.random.Generator) -> np.ndarray:
    return rng.exponential(size=JETS // 2) * 1e-9


def prepared(folder: Path, jets: Clouds, seed: int = 5, **settings: Any) -> Clouds:
    write_clouds(folder / "clouds.h5", jets)
    chosen = PreparationSettings.model_validate(settings)
    prepare(folder / "clouds.h5", chosen, seed, folder / "prepared.h5", folder / "split.h5")
    return read_clouds(folder / "prepared.h5", weighted=True)


def test_jets_are_accepted_in_proportion_to_their_weight(rng: np.random.Generator) -> None:
    """Number and mean of what is accepted, within four standard deviations; no jet twice, events whole."""
    x = rng.uniform(0, 1, 100_000)
    w = 3e5 * x**2
    events = np.repeat(np.arange(50_000), 2)[:, None]
    x[1::2], w[1::2] = x[::2], w[::2]
    rows = unweight(w, events, rng)
    assert (np.diff(rows) > 0).all()
    assert (np.bincount(events[rows, 0], minlength=50_000) % 2 == 0).all()
    assert len(rows) / 2 == pytest.approx(50_000 / 3, abs=4 * np.sqrt(50_000 * 2 / 9))
    assert x[rows].mean() == pytest.approx(3 / 4, abs=4 * np.sqrt(3 / 80 / (len(rows) / 2)))


def test_equal_weights_keep_all_and_zeros_none(rng: np.random.Generator) -> None:
    each = np.arange(50)[:, None]
    assert len(unweight(np.full(50, 1e-12), each, rng)) == 50
    assert unweight(np.repeat([0.0, 2.0], 25), each, rng).tolist() == list(range(25, 50))
    with pytest.raises(InputError, match="event weights of all 50 jets are zero"):
        unweight(np.zeros(50), each, rng)
    with pytest.raises(InputError, match="3 of 50 jets have negative event weights"):
        unweight(np.where(np.arange(50) < 3, -1.0, 1.0), each, rng)


def test_the_preparation_asks_what_becomes_of_weights(tmp_path: Path, weights: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"clouds\.h5: its 2000 jets have event weights .* unweight .* or keep"):
        prepared(tmp_path, weighted_jets(weights))
    assert not (tmp_path / "prepared.h5").exists()
    assert not (tmp_path / "split.h5").exists()


def test_unweighted_jets_have_no_weights(
    tmp_path: Path, weights: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    jets = weighted_jets(weights)
    made = prepared(tmp_path, jets, event_weights="unweight")
    assert made.event_weight is None
    assert read_clouds(tmp_path / "prepared.h5").features.shape == (len(made), 5)
    known = made.meta["unweighting"]
    assert known["accepted"] == len(made) == sum(len(rows) for rows in made.indices.values())
    assert known["efficiency"] == pytest.approx(weights.mean() / weights.max(), rel=0.2)
    assert known["effective_size_before"] == pytest.approx(2 * effective_size(weights), rel=1e-5)
    assert f"prepare: unweighting leaves {len(made)} of 2000 jets" in capsys.readouterr().err
    pt = jets.feature("jet_pt")
    error = made.feature("jet_pt").std() / np.sqrt(len(made))
    assert made.feature("jet_pt").mean() == pytest.approx(np.average(pt, weights=jets.event_weight), abs=4 * error)


def test_unweighting_follows_the_seed_and_leaves_the_split(tmp_path: Path, weights: np.ndarray) -> None:
    jets = weighted_jets(weights)
    one = prepared(tmp_path, jets, event_weights="unweight")
    parts = read_split(tmp_path / "split.h5", len(jets))
    again = prepared(tmp_path, jets, event_weights="unweight", split={"indices": str(tmp_path / "split.h5")})
    kept = prepared(tmp_path, jets, event_weights="keep")
    other = prepared(tmp_path, jets, seed=6, event_weights="unweight")
    np.testing.assert_array_equal(one.points, again.points)
    assert not np.array_equal(one.labels, other.labels)
    for name, rows in parts.items():
        np.testing.assert_array_equal(jets.labels[rows], one.part(name).labels)
        np.testing.assert_array_equal(one.indices[name], again.indices[name])
        # What unweighting leaves is of the part that it was in.
        assert set(rows) < set(kept.indices[name])


def test_unweighting_to_nothing_is_refused(tmp_path: Path) -> None:
    weights = np.full(100, 1e-9)
    weights[0] = 1.0
    with pytest.raises(InputError, match=r"unweighting leaves 2 of 200 jets and none in the"):
        prepared(tmp_path, weighted_jets(weights), event_weights="unweight")


def test_kept_weights_stay_as_they_are(tmp_path: Path, weights: np.ndarray) -> None:
    made = prepared(tmp_path, weighted_jets(weights), event_weights="keep")
    np.testing.assert_array_equal(made.event_weight, np.repeat(weights, 2).astype(np.float32))
    with pytest.raises(InputError, match=r"prepared\.h5: its clouds have event weights .* unweight"):
        read_clouds(tmp_path / "prepared.h5")
    facts = read_contents(tmp_path / "prepared.h5").facts
    assert facts["sum_of_event_weights"] == pytest.approx(2 * weights.sum(), rel=1e-5)
    assert facts["effective_size"] == pytest.approx(2 * effective_size(weights), rel=1e-5)
    assert facts["negative_event_weights"] == 0


# Taggers.


def combined(folder: Path, of_events: np.ndarray, **settings: Any) -> Clouds:
    """Return two classes, of which the first has event weights."""
    write_clouds(folder / "first.h5", weighted_jets(of_events, 4))
    write_clouds(folder / "second.h5", replace(weighted_jets(np.ones(JETS // 2), 8)[:], **plain(8)))
    classes = [{"name": name, "title": name, "file": str(folder / f"{name}.h5")} for name in ("first", "second")]
    windows = {"pt_window": [20, 200], "mass_window": [1, 60], "max_particles": 6}
    chosen = {"classes": classes, "flat": False, **windows, **settings}
    combine_classes(TaggingJetsSettings.model_validate(chosen), 5, folder / "jets.h5")
    return read_clouds(folder / "jets.h5", weighted=True)


def plain(seed: int) -> dict[str, Any]:
    """Return the features of :func:`weighted_jets` without the weights."""
    jets = weighted_jets(np.ones(JETS // 2), seed)
    return {"features": jets.features[:, :-1], "feature_columns": jets.feature_columns[:-1]}


def of_first(jets: Clouds) -> Clouds:
    return jets[jets.label("class") == 0]


def test_taggers_ask_what_becomes_of_weights(tmp_path: Path, weights: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"first\.h5: class 'first': its \d+ jets have event weights .* or keep"):
        combined(tmp_path, weights)


def test_classes_are_unweighted(tmp_path: Path, weights: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    jets = combined(tmp_path, weights, event_weights="unweight")
    first, second = jets.meta["classes"]
    assert jets.event_weight is None
    assert first["unweighting"]["accepted"] == first["jets"] == len(of_first(jets)) < first["accepted"]
    assert second["jets"] == second["accepted"]
    assert (jets.feature("weight") == 1).all()
    said = capsys.readouterr().err
    assert f"unweighting leaves {first['jets']} of {first['accepted']} jets" in said
    assert "all of these taken" in said
    assert "jets_per_class" not in said


@pytest.mark.parametrize("flat", [False, True])
def test_kept_weights_are_a_factor_of_those_of_taggers(tmp_path: Path, weights: np.ndarray, flat: bool) -> None:
    bins = {"mass_bins": 2, "pt_bins": 2, "effective_share": 0.01, "cap": 1e9}
    jets = combined(tmp_path, weights, event_weights="keep", flat=flat, weights=bins)
    first = of_first(jets)
    source = weights[first.label("event")]
    np.testing.assert_allclose(first.event_weight, source / source.mean(), rtol=1e-5)
    weight = first.feature("weight").astype(np.float64)
    assert weight.mean() == pytest.approx(1)
    assert jets.meta["classes"][0]["effective_size"] == pytest.approx(effective_size(weight), rel=1e-5)
    if not flat:
        np.testing.assert_allclose(weight, first.event_weight, rtol=1e-5)
        return
    low = first.feature("jet_pt") < 110
    assert weight[low].sum() == pytest.approx(weight.sum() / 2, rel=1e-5)
    # Within one bin of mass and pT the weights stay in proportion to those of the events.
    chosen = low & (first.feature("jet_mass") < 30.5)
    ratio = weight[chosen] / first.event_weight[chosen]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
def test_no_training_of_a_tagger_ignores_event_weights(tmp_path: Path, weights: np.ndarray, weighted: bool) -> None:
    combined(tmp_path, weights, event_weights="keep")
    jets = read_tagging_jets(tmp_path / "jets.h5")
    of_training = jets.balanced_weights(jets.parts["train"], weighted)
    assert of_training is not None
    first = (jets.target == 0).numpy()
    ratio = of_training.numpy()[first] / jets.event_weight.numpy()[first]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-5)
    assert jets.event_weight.numpy()[first].std() > 0.5
    # Both classes count alike, though the mean weight of one among those of the training is not what it is among all.
    rows = jets.parts["train"][: len(jets.parts["train"]) // 2]
    of_rows, target = jets.balanced_weights(rows, weighted)[rows].numpy(), jets.target[rows].numpy()
    assert abs(jets.event_weight[rows].numpy()[target == 0].mean() - 1) > 0.01
    np.testing.assert_allclose(np.bincount(target, of_rows), len(rows) / 2, rtol=1e-5)


def test_negative_weights_are_refused_and_zeros_left_out(tmp_path: Path, weights: np.ndarray) -> None:
    zeros = np.where(np.arange(len(weights)) % 4 == 0, 0.0, weights)
    jets = combined(tmp_path, zeros, event_weights="keep")
    assert not (of_first(jets).label("event") % 4 == 0).any()
    for choice in ("unweight", "keep"):
        with pytest.raises(InputError, match=r"first\.h5: class 'first': \d+ of \d+ jets have negative event weights"):
            combined(tmp_path, np.where(np.arange(len(weights)) % 4 == 0, -1.0, 1.0), event_weights=choice)


def test_flat_weights_of_weighted_events(rng: np.random.Generator) -> None:
    """Jets drawn flat in pT and weighted to a falling spectrum need the weights of that spectrum."""
    pt, mass = rng.uniform(500, 600, 5000), rng.uniform(0, 100, 5000)
    weights = np.exp(-pt / 50)
    settings = FlatWeightSettings(mass_bins=1, pt_bins=100, cap=1000, effective_share=0.01)
    made = flat_weights(mass, pt, (0, 100), (500, 600), settings, weights)
    counts = np.histogram(pt, np.linspace(500, 600, 101))[0][((pt - 500) // 1).astype(int)]
    np.testing.assert_allclose(made.values, 50 / counts, rtol=0.03)
