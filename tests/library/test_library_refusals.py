"""What is wrong with what the library is given, in one line that names it."""

import awkward as ak
import numpy as np
import pytest
from library_arrays import TRAP, arrays

import cloudchamber as cc

JETS = np.full((4, 3, 3), 0.1)
FAR = JETS * [1e6, 1, 1]
WRONG = {
    "the shape": (JETS[0], r"has the shape \(3, 3\), expected \(N, P, 3\)"),
    "the columns": (JETS[:, :, :2], r"has the shape \(4, 3, 2\), expected \(N, P, 3\)"),
    "no jets": (JETS[:0], r"is empty: its shape is \(0, 3, 3\)"),
    "NaN": (np.where(np.arange(3) == 1, np.nan, JETS), r"12 of 36 values are not finite"),
    "infinity": (np.where(np.arange(3) == 1, np.inf, JETS), r"12 of 36 values are not finite"),
    "text": (np.full((4, 3, 3), "a"), r"holds <U1, expected numbers"),
    "ragged": ([[[0.1, 0.1, 0.1]], []], r"not an array: "),
    "ragged awkward": (ak.Array([[[0.1, 0.1, 0.1]], []]), r"not an array: [^()]*$"),
    "a mask": (np.ma.masked_greater(JETS, 0.0), r"36 of 36 values are masked: fill them, with 0 in empty slots"),
    "nothing": (None, r"is None, expected an array"),
    "a value beyond single precision": (JETS * 1e300, r"a value is too large for single precision"),
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["jet_mass", "jet_observables", "energy_flow_polynomials", "subjettiness"])
def test_observables_say_in_one_line_what_is_wrong(name: str, what: str) -> None:
    jets, message = WRONG[what]
    with pytest.raises(cc.InputError, match=f"^jets: {message}") as found:
        getattr(cc, name)(jets)
    assert "\n" not in str(found.value)


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["w1m", "w1p", "w1efp", "fpd", "kpd", "coverage", "mmd"])
@pytest.mark.parametrize("side", ["truth", "generated", "floor"])
def test_metrics_say_in_one_line_what_is_wrong(name: str, what: str, side: str) -> None:
    jets, message = WRONG[what]
    if name in ("fpd", "kpd") and what == "the shape":
        pytest.skip("two axes are features of any kind")
    if what == "nothing" and side == "floor":
        pytest.skip("a floor may be left out")
    given = {"truth": JETS, "generated": JETS, "floor": JETS, side: jets}
    with pytest.raises(cc.InputError, match=f"^{side}: {message}"):
        getattr(cc, name)(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"truth": []}, r"^truth: is empty"),
        ({"truth": [1.0, np.nan]}, r"^truth: 1 of 2 values are not finite"),
        ({"generated": np.zeros((2, 2, 2))}, r"^generated: has the shape \(2, 2, 2\), expected \(N, P\)"),
        ({"floor": [1.0]}, r"^floor: 1 jets, there must be as many as generated ones, 3"),
        ({"truth": None}, r"^truth: is None, expected an array"),
        ({"truth": None, "floor": [1.0, 2.0, 3.0]}, r"^truth: is None, expected an array"),
        ({"generated": None}, r"^generated: is None, expected an array"),
        ({"generated": [[1.0, 2.0], [3.0]]}, r"^generated: not an array: "),
        ({"generated": cc.clouds_from_arrays(JETS)}, r"^generated: is Clouds, expected an array"),
        ({"bootstraps": 2.5}, r"^bootstraps: 2.5, expected a whole number, 2 at least"),
        ({"seed": -1}, r"^seed: -1, expected a whole number from 0 on"),
        ({"seed": None}, r"^seed: None, expected a whole number from 0 on"),
        ({"generated": np.ma.masked_all((2, 3))}, r"^generated: all values are masked"),
        ({"truth": np.ma.masked_equal([1.0, 2.0, 3.0], 2.0)}, r"^truth: a number of each jet is masked for 1 of 3"),
        ({"bootstraps": 1}, r"^bootstraps: 1, expected a whole number, 2 at least"),
    ],
)
@pytest.mark.parametrize("name", ["kl", "w1"])
def test_metrics_of_a_feature_say_what_is_wrong(name: str, given: dict[str, object], message: str) -> None:
    right = {"truth": [1.0, 2.0, 3.0], "generated": [1.0, 2.5, 3.0]}
    with pytest.raises(cc.InputError, match=message):
        getattr(cc, name)(**{**right, **given})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cc.clouds_from_arrays(JETS, np.ones((4, 2))), r"^mask: has the shape \(4, 2\), expected \(4, 3\)"),
        (
            lambda: cc.clouds_from_arrays(JETS, features={"jet_pt": [1, 2]}),
            r"^features\['jet_pt'\]: has the shape \(2,\)",
        ),
        (lambda: cc.clouds_from_arrays(JETS, labels={"event": [0.5] * 4}), r"^labels\['event'\]: holds float64"),
        (lambda: cc.clouds_from_arrays(JETS * 1e300), r"^points: a value is too large for single precision"),
        (lambda: cc.clouds_from_arrays(JETS, np.full((4, 3), 0.5)), r"^mask: a value is neither 0 nor 1"),
        (lambda: cc.clouds_from_arrays(JETS, point_columns="abc"), r"^point_columns: 'abc', expected names"),
        (lambda: cc.clouds_from_arrays(JETS, point_columns=["a", "b", "a"]), r"^point_columns: 'a' is there twice"),
        (lambda: cc.clouds_from_arrays(JETS, features={1: [1] * 4}), r"^features: 1 is no name of a column"),
        (lambda: cc.clouds_from_arrays(JETS, features=[1] * 4), r"^features: is list, expected keys and values"),
        (
            lambda: cc.clouds_from_arrays(JETS, labels={"event": np.full(4, 2**63, np.uint64)}),
            r"^labels\['event'\]: 9223372036854775808 is too large",
        ),
        (lambda: cc.clouds_from_awkward(None), r"^particles: expected an awkward array"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}], None])), r"^particles: 1 of 2 clouds are None"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}, None]])), r"^particles\.pt: 1 of 2 values are masked"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": 1.0}]]), max_particles=-1), r"^max_particles: -1, expected"),
        (lambda: cc.relative_jets(JETS), r"^clouds: is ndarray, expected Clouds"),
        (lambda: cc.write_clouds("never.h5", JETS), r"^clouds: is ndarray, expected Clouds"),
        (lambda: cc.read_clouds("never.h5"), r"^never\.h5: no such file$"),
        (lambda: cc.jet_observables(JETS, [1, 1, 1, -1]), r"^jet_pt: 1 of 4 values are not positive"),
        (lambda: cc.subjettiness(JETS, n_axes=0), r"^n_axes: 0, expected a whole number, 1 at least"),
        (lambda: cc.subjettiness(JETS, betas=1.0), r"^betas: has the shape \(\), expected \(B,\)"),
        (lambda: cc.subjettiness(JETS, betas=[1.0, -1.0]), r"^betas: -1\.0, expected numbers above zero"),
        (lambda: cc.subjettiness(JETS, radius=0), r"^radius: 0, expected a finite number above 0"),
        (lambda: cc.energy_mover(JETS, JETS, -1.0), r"^radius: -1\.0, expected a finite number above 0"),
        (lambda: cc.energy_mover(JETS, JETS, np.nan), r"^radius: nan, expected a finite number above 0"),
        (lambda: cc.coverage(JETS, JETS, jets=2.5), r"^jets: 2\.5, expected a whole number, 2 at least"),
        (lambda: cc.mmd(JETS, JETS, batches=1), r"^batches: 1, expected a whole number, 2 at least"),
        (lambda: cc.kl([1.0, 2.0], [1.0, 2.0], bins=-3), r"^bins: -3, expected a whole number, 1 at least"),
        (lambda: cc.kl([1.0, 2.0], [1.0, 2.0], bins=2.5), r"^bins: 2\.5, expected a whole number, 1 at least"),
        (lambda: cc.fpd(JETS, np.repeat(JETS, 3, axis=0)), r"^truth: 4 jets, the distance needs 10 at least"),
        (lambda: cc.kpd(np.repeat(JETS, 3, axis=0), JETS), r"^generated: 4 jets, the distance needs 10 at least"),
        (lambda: cc.ingest([], clouds={"kind": "events"}, max_particles=3), r"^files: \[\], expected a file"),
        (lambda: cc.build_network(None), r"^no network 'None'"),
        (lambda: cc.build_network("generator/epic", kind="transformer"), r"^generator/epic: kind: the name says"),
        (
            lambda: cc.build_network("tagger/particle_net", classes=True),
            r"^tagger/particle_net: classes: True, expected a whole",
        ),
        (
            lambda: cc.build_network("tagger/dense", classes=2, features="abc"),
            r"^tagger/dense: features: 'abc', expected the names",
        ),
        (
            lambda: cc.build_network("active_matter/mlp", system=TRAP, drives=5),
            r"^active_matter/mlp: drives: has",
        ),
        (lambda: cc.compare(JETS, JETS, JETS, settings=[1]), r"^settings: is list, expected keys and values"),
        (lambda: cc.compare(JETS, FAR, JETS), r"^generated: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.jet_mass(FAR), r"^jets: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.subjettiness(FAR), r"^jets: 4 of 4 jets have a particle beyond \|eta_rel\| = 350"),
        (lambda: cc.nlp(JETS, [JETS]), r"^samples: is list, expected keys and values"),
        (lambda: cc.nlp(JETS, {1: JETS}), r"^samples: 1 is no name of a sample"),
        (lambda: cc.nlp(JETS, {"": JETS}), r"^samples: '' is no name of a sample"),
        (lambda: cc.clouds_from_awkward(ak.Array([[1.0, 2.0]])), r"^particles: expected an awkward array of N \* var"),
        (lambda: cc.clouds_from_awkward(ak.Array([[{"pt": float("nan")}]])), r"^particles\.pt: 1 of 1 values are not"),
        (lambda: cc.ingest("nowhere.root", clouds={"kind": "events"}, max_particles=3), r"nowhere\.root"),
        (lambda: cc.build_network("epic"), r"^no network 'epic' among \['generator/epic'"),
        (
            lambda: cc.build_network("tagger/particle_net"),
            r"^tagger/particle_net: classes: None, expected a whole number, 2",
        ),
        (lambda: cc.build_network("tagger/dense", classes=2), r"^tagger/dense: features: \(\), expected the names"),
        (lambda: cc.build_network("showers/allshowers"), r"^showers/allshowers: calorimeter_layers: None"),
        (lambda: cc.nlp(JETS, {}), r"^samples: is empty"),
        (lambda: cc.nlp(JETS, {"model": JETS[0]}), r"^samples\['model'\]: has the shape"),
        (lambda: cc.nlp(JETS, {"truth": JETS}), r"a model may not be called 'truth'"),
    ],
)
def test_other_calls_say_what_is_wrong(call: object, message: str) -> None:
    with pytest.raises(cc.InputError, match=message):
        call()  # type: ignore[operator]


@pytest.mark.parametrize(
    "call",
    [
        lambda: cc.ingest("a.root", clouds={"kind": "events"}),
        lambda: cc.build_network("generator/epic", sizes=3),
        lambda: cc.compare(JETS, JETS, JETS, settings={"bin": 3}),
        lambda: cc.nlp(JETS, {"model": JETS}, settings={"jets_per_class": 5}),
        lambda: cc.nlp(JETS, {"model": JETS}, settings={"training": {"stepps": 3}}),
    ],
)
def test_settings_that_are_none_are_named(call: object) -> None:
    with pytest.raises(cc.SettingsError, match=r"max_particles|sizes|bin|stepps|jets_per_class"):
        call()  # type: ignore[operator]


def test_jets_with_event_weights_are_refused(rng: np.random.Generator) -> None:
    clouds = cc.clouds_from_arrays(arrays(rng), features={"event_weight": np.ones(20)})
    with pytest.raises(cc.InputError, match=r"^truth: its jets have event weights"):
        cc.w1m(clouds, clouds)


@pytest.mark.parametrize("points", [np.full((2, 2, 3), np.nan), np.full((2, 2, 3), np.inf)])
def test_clouds_that_are_not_finite_are_refused(points: np.ndarray) -> None:
    clouds = cc.clouds_from_arrays(np.ones((2, 2, 3)))
    clouds.points[:] = points
    with pytest.raises(cc.InputError, match=r"^truth: 12 of 12 values of points are not finite"):
        cc.w1m(clouds, JETS)


def test_degrees_are_refused(rng: np.random.Generator) -> None:
    jets = arrays(rng, 50)
    jets[..., 1] = np.degrees(jets[..., 1])
    with pytest.raises(cc.InputError, match=r"^truth: phi_rel of \d+ of \d+ particles is beyond a turn: expected rad"):
        cc.w1m(truth=jets, generated=jets)
