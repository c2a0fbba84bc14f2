"""Files of one data set that differ in what is read of them are refused, or taken where that is asked for."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from root_files import Lists, one_jet, random_towers, write_delphes

from cloudchamber.cloud import Clouds
from cloudchamber.cloud_file import read_clouds
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.settings.base import parse
from cloudchamber.settings.ingestion import IngestionSettings

Ingest = Callable[..., Clouds]
FLOW = {
    "EFlowTrack": {"PT": [[300.0]], "Eta": [[0.0]], "Phi": [[0.0]]},
    "EFlowPhoton": {"ET": [[200.0]], "Eta": [[0.1]], "Phi": [[0.0]]},
    "EFlowNeutralHadron": {"ET": [[77.0]], "Eta": [[0.2]], "Phi": [[0.0]]},
}
CANDIDATES = {"ParticleFlowCandidate": {"PT": [[195.0]], "Eta": [[0.0]], "Phi": [[0.0]]}}


@pytest.fixture
def run(tmp_path: Path) -> Ingest:
    def ingested(paths: Sequence[Path], clouds: dict[str, Any], **settings: Any) -> Clouds:
        chosen = {"clouds": clouds, "max_particles": 100, **settings}
        ingest(paths, parse(IngestionSettings, chosen), tmp_path / "clouds.h5")
        return read_clouds(tmp_path / "clouds.h5")

    return ingested


@pytest.fixture
def two_cards(tmp_path: Path) -> list[Path]:
    """One file with energy flow alone, and one that also has what PUPPI made of it."""
    return [write_delphes(tmp_path / "a.root", FLOW), write_delphes(tmp_path / "b.root", FLOW | CANDIDATES)]


def energy_flow(*collections: str) -> dict[str, Any]:
    return {
        "kind": "reclustered",
        "constituents": "energy_flow",
        **({"collections": collections} if collections else {}),
    }


def test_energy_flow_of_two_cards(two_cards: list[Path], run: Ingest, tmp_path: Path) -> None:
    expected = (
        r"b\.root: constituents are in ParticleFlowCandidate, in .*a\.root they are in EFlowTrack, EFlowPhoton, "
        r"EFlowNeutralHadron: are the files of two cards\? collections names what to read, mixed_files: accept takes "
    )
    with pytest.raises(InputError, match=expected):
        run(two_cards, energy_flow())
    assert not (tmp_path / "clouds.h5").exists()


def test_the_collections_asked_for_by_name(two_cards: list[Path], run: Ingest) -> None:
    clouds = run(two_cards, energy_flow("EFlowTrack", "EFlowPhoton", "EFlowNeutralHadron"))
    np.testing.assert_array_equal(clouds.points[..., 0].sum(axis=1), [577, 577])
    np.testing.assert_array_equal(run(two_cards, energy_flow("EFlowTrack")).points[..., 0].sum(axis=1), [300, 300])
    with pytest.raises(InputError, match=r"a\.root: no branch 'ParticleFlowCandidate\.PT'"):
        run(two_cards, energy_flow("ParticleFlowCandidate"))


def test_a_mixture_asked_for_by_name(two_cards: list[Path], run: Ingest, capsys: pytest.CaptureFixture[str]) -> None:
    clouds = run(two_cards, energy_flow(), mixed_files="accept")
    np.testing.assert_array_equal(clouds.points[..., 0].sum(axis=1), [577, 195])
    assert list(clouds.meta["mixed_files"]) == [str(two_cards[1])]
    assert "1 of the files differ from the first in what is read" in capsys.readouterr().err


def test_a_mixture_is_no_bad_file(two_cards: list[Path], run: Ingest) -> None:
    """Leaving out files that cannot be read is no leave to choose between two cards."""
    with pytest.raises(InputError, match="are the files of two cards"):
        run(two_cards, energy_flow(), on_bad_file="skip")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"constituents": "tower", "collections": ["EFlowTrack"]}, "collections are of constituents: energy_flow"),
        (energy_flow("EFlowTrack", "ParticleFlowCandidate"), "both would count twice"),
        (energy_flow("EFlowTrack", "EFlowTrack"), "stands there twice"),
        ({"constituents": "energy_flow", "collections": []}, "at least 1 item"),
    ],
)
def test_collections_that_cannot_be(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse(IngestionSettings, {"clouds": settings | {"kind": "events"}, "max_particles": 3})


def test_two_versions_of_delphes(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """The later one marks pile-up: in one file it would be left out, in the other not."""
    towers = random_towers(rng, 20)
    flags = {"IsPU": [[0] * len(values) for values in towers["ET"]]}
    old = write_delphes(tmp_path / "a.root", {"Tower": towers})
    new = write_delphes(tmp_path / "b.root", {"Tower": towers | flags})
    with pytest.raises(InputError, match=r"b\.root: has Tower\.IsPU, unlike .*a\.root: are the files of two versions"):
        run([old, new], {"kind": "events"})
    assert len(run([old, new], {"kind": "events"}, mixed_files="accept")) == 40


def in_cells(towers: dict[str, Lists], eta: float, phi: float) -> dict[str, Lists]:
    """Return towers of which one in three is in a cell of this size, and the others in cells that both cards have."""
    edges: dict[str, Lists] = {leaf: [] for leaf in ("EdgeEtaLow", "EdgeEtaHigh", "EdgePhiLow", "EdgePhiHigh")}
    for of_event in towers["ET"]:
        wide = np.arange(len(of_event)) % 3 == 0
        sizes = np.where(wide, eta, 0.0174), np.where(wide, phi, 0.0174)
        lower = np.zeros(len(of_event))
        for leaf, values in zip(edges, (lower, sizes[0], lower, sizes[1]), strict=True):
            edges[leaf].append(values.tolist())
    return towers | edges


def test_two_cards_with_the_same_collections(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """Towers of ATLAS and of CMS have the same leaves: a tenth of a unit in eta is what tells them apart."""
    towers = random_towers(rng, 30)
    sizes = {"atlas": (0.1, np.pi / 18), "more": (0.1, np.pi / 18), "cms": (0.087, np.pi / 36)}
    paths = [write_delphes(tmp_path / f"{name}.root", {"Tower": in_cells(towers, *sizes[name])}) for name in sizes]
    expected = (
        r"cms\.root: cells of Tower have the size 0\.087 x 0\.087 in eta and phi, in .*atlas\.root 0\.100 x 0\.175: "
        r"are the files of two cards\?"
    )
    with pytest.raises(InputError, match=expected):
        run(paths, {"kind": "events"})
    clouds = run(paths, {"kind": "events"}, mixed_files="accept")
    assert list(clouds.meta["mixed_files"]) == [str(paths[2])]
    assert list(clouds.meta["cells"]["Tower"]) == ["0.017 x 0.017", "0.100 x 0.175"]
    assert run(paths[:2], {"kind": "events"}).meta["mixed_files"] == {}


def with_pile_up(rng: np.random.Generator, events: int, hard: int, soft: int) -> dict[str, Lists]:
    """Return towers of the hard collision, and of pile-up as many on average in each event."""
    counts = rng.poisson(soft, events)
    n = hard + counts
    energies = [rng.exponential(3.0, size).tolist() for size in n]
    return {
        "ET": energies,
        "Eem": energies,
        "Ehad": [[0.0] * size for size in n],
        "Eta": [rng.normal(0, 1.5, size).tolist() for size in n],
        "Phi": [rng.uniform(-np.pi, np.pi, size).tolist() for size in n],
        "IsPU": [[0] * size for size in n],
        "HardEnergyFraction": [[1.0] * hard + [0.0] * of_event for of_event in counts],
    }


@pytest.mark.parametrize("soft", [0, 90], ids=["without", "with less"])
def test_two_cards_of_other_pile_up(tmp_path: Path, run: Ingest, rng: np.random.Generator, soft: int) -> None:
    """As the stock cards ATLAS and ATLAS_PileUp, which have the same collections, leaves and cells."""
    contents = {"a": with_pile_up(rng, 20, 60, 250), "b": with_pile_up(rng, 20, 40, soft)}
    paths = [write_delphes(tmp_path / f"{name}.root", {"Tower": content}) for name, content in contents.items()]
    said = r"b\.root: [\d.]+ constituents of an event come from pile-up, in .*a\.root it is 2\d\d: are the files of"
    with pytest.raises(InputError, match=said):
        run(paths, {"kind": "events"})
    with pytest.raises(InputError, match=r"constituents of an event come from pile-up"):
        run(paths[::-1], {"kind": "events"})
    # What is left out is in no cloud.
    assert len(run(paths, {"kind": "events", "pile_up": "leave_out"})) == 40


def test_files_of_one_card_with_pile_up_are_alike(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """Another process, another number of events, and too few events to tell."""
    contents = [with_pile_up(rng, *of_file) for of_file in ((30, 60, 250), (10, 20, 250), (3, 60, 250), (1, 60, 20))]
    paths = [write_delphes(tmp_path / f"{n}.root", {"Tower": content}) for n, content in enumerate(contents)]
    assert len(run(paths, {"kind": "events"})) == 44


@pytest.mark.parametrize("what", ["pile-up", "cells"])
def test_a_first_file_that_is_too_small_to_tell(
    tmp_path: Path, run: Ingest, rng: np.random.Generator, what: str
) -> None:
    """As a file of one event to try things with: those after it are compared with one another all the same."""
    if what == "pile-up":
        contents = [with_pile_up(rng, *of_file) for of_file in ((1, 60, 250), (20, 60, 250), (20, 60, 0))]
        said = r"2\.root: 0 constituents of an event come from pile-up, in .*0\.root and 1 more it is 2\d\d: "
    else:
        sizes = ((1, 0.1, np.pi / 18), (30, 0.1, np.pi / 18), (30, 0.087, np.pi / 36))
        contents = [in_cells(random_towers(rng, events, 30), *size) for events, *size in sizes]
        said = r"2\.root: cells of Tower have the size 0\.087 x 0\.087 in eta and phi, in .*0\.root and 1 more 0\.100 x"
    paths = [write_delphes(tmp_path / f"{n}.root", {"Tower": content}) for n, content in enumerate(contents)]
    with pytest.raises(InputError, match=said):
        run(paths, {"kind": "events"})
    clouds = run(paths, {"kind": "events"}, mixed_files="accept")
    assert list(clouds.meta["mixed_files"]) == [str(paths[2])]
    # By which classes are compared: of the first file alone they would be too few to tell.
    assert (what == "cells") == (sum(clouds.meta["cells"].get("Tower", {}).values()) >= 50)
    assert len(run(paths[:2], {"kind": "events"})) == len(contents[0]["ET"]) + len(contents[1]["ET"])


def put_together(*parts: dict[str, Lists]) -> dict[str, Lists]:
    """Return the events of several files one after the other, as hadd does."""
    return {leaf: [values for part in parts for values in part[leaf]] for leaf in parts[0]}


@pytest.mark.parametrize("what", ["pile-up", "cells"])
def test_one_file_of_two_cards(
    tmp_path: Path, run: Ingest, rng: np.random.Generator, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As hadd makes it of the files that are refused as two."""
    if what == "pile-up":
        parts = [with_pile_up(rng, *of_part) for of_part in ((50, 60, 250), (150, 60, 0))]
        said = r"a\.root: 0 constituents of an event come from pile-up, in its first 50 events it is 2\d\d: was it put "
    else:
        sizes = ((50, 0.1, np.pi / 18), (50, 0.087, np.pi / 36))
        parts = [in_cells(random_towers(rng, events, 30), *size) for events, *size in sizes]
        said = r"a\.root: cells of Tower have the size 0\.087 x 0\.087 in eta and phi, in its first events 0\.100 x .*"
    whole = write_delphes(tmp_path / "a.root", {"Tower": put_together(*parts)})
    other = write_delphes(tmp_path / "b.root", {"Tower": parts[0]})
    for paths in ([whole], [whole, other], [other, whole]):
        with pytest.raises(InputError, match=f"{said}.*two cards\\? mixed_files: accept takes "):
            run(paths, {"kind": "events"})
        # The size of the steps in which a file is read does not matter.
        with pytest.raises(InputError, match=said):
            run(paths, {"kind": "events"}, step_size="2 kB")
    clouds = run([whole], {"kind": "events"}, mixed_files="accept")
    assert list(clouds.meta["mixed_files"]) == [str(whole)]
    assert "1 of the files have events that differ in what is read" in capsys.readouterr().err
    if what == "pile-up":
        assert run([whole], {"kind": "events", "pile_up": "leave_out"}).meta["mixed_files"] == {}


def test_files_of_one_card_that_were_put_together(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """Of two processes, and pile-up that varies from event to event as much as its mean."""
    varying = [with_pile_up(rng, 1, 60, round(rng.exponential(200))) for _ in range(400)]
    content = put_together(with_pile_up(rng, 40, 20, 200), with_pile_up(rng, 40, 90, 200), *varying)
    path = write_delphes(tmp_path / "a.root", {"Tower": content})
    assert run([path], {"kind": "events"}).meta["mixed_files"] == {}


def test_collections_that_are_not_read_do_not_matter(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    towers = random_towers(rng, 20)
    paths = [
        write_delphes(tmp_path / "a.root", {"Tower": towers}),
        write_delphes(tmp_path / "b.root", {"Tower": towers, "Jet": one_jet(towers)}),
    ]
    assert len(run(paths, {"kind": "events"})) == 40


@pytest.mark.parametrize("kind", ["events", "reclustered"])
def test_two_units(tmp_path: Path, run: Ingest, rng: np.random.Generator, kind: str) -> None:
    towers = random_towers(rng, 20)
    mev = towers | {"ET": [[1000.0 * value for value in values] for values in towers["ET"]]}
    paths = [
        write_delphes(tmp_path / f"{name}.root", {"Tower": content}) for name, content in (("a", towers), ("b", mev))
    ]
    with pytest.raises(InputError, match=r"b\.root: the typical pT of constituents is .*e\+03, in .*different units"):
        run(paths, {"kind": kind})
    assert not (tmp_path / "clouds.h5").exists()


def test_a_unit_that_is_no_gev_is_said(
    tmp_path: Path, run: Ingest, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """One file alone has nothing to be compared with."""
    towers = random_towers(rng, 20)
    for name, factor in (("gev", 1.0), ("mev", 1000.0)):
        scaled = towers | {"ET": [[factor * value for value in values] for values in towers["ET"]]}
        run([write_delphes(tmp_path / f"{name}.root", {"Tower": scaled})], {"kind": "events"})
        assert ("WARNING: the typical pT of constituents is" in capsys.readouterr().err) == (name == "mev")


def test_samples_of_very_different_momenta_are_alike(tmp_path: Path, run: Ingest, rng: np.random.Generator) -> None:
    """Hard and soft collisions share their soft constituents."""
    towers = random_towers(rng, 20)
    hard: dict[str, Lists] = towers | {"ET": [[3000.0, *values[1:]] for values in towers["ET"]]}
    paths = [
        write_delphes(tmp_path / f"{name}.root", {"Tower": content}) for name, content in (("a", towers), ("b", hard))
    ]
    assert len(run(paths, {"kind": "events"})) == 40


@pytest.mark.delphes
@pytest.mark.parametrize(
    ("files", "clouds", "message"),
    [
        (
            ("public/skhep_uproot-issue513", "public/sophon_events_delphes_example"),
            {"kind": "events", "constituents": "energy_flow"},
            "ParticleFlowCandidate, in .* they are in EFlowTrack",
        ),
        (
            ("generated/delphes_atlas_ttbar_seed12", "public/spectraljet_mini"),
            {"kind": "events", "constituents": "tower"},
            "(has|lacks) .*Tower",
        ),
        (
            ("generated/delphes_atlas_ttbar_seed12", "public/spectraljet_mini"),
            {"kind": "stored"},
            "constituents are in (EFlow|Tower).* they are in (EFlow|Tower)",
        ),
    ],
)
def test_real_files_of_two_cards(
    delphes_samples: Path, run: Ingest, files: tuple[str, str], clouds: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run([delphes_samples / f"{name}.root" for name in files], clouds)


@pytest.mark.delphes
def test_real_files_of_one_card(delphes_samples: Path, run: Ingest) -> None:
    """They differ in collections that are not read, and in process."""
    names = ("delphes_atlas_ttbar_seed12", "delphes_atlas_qcd_pt200_truth_seed11")
    files = [delphes_samples / f"generated/{name}.root" for name in names]
    assert run(files, {"kind": "stored"}).meta["mixed_files"] == {}
