"""Files that several jobs read become the very clouds of one job, whatever depends on files of other groups."""

import json
import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from root_files import one_jet, random_towers, write_delphes

from cloudchamber.cli import main
from cloudchamber.cloud_file import open_clouds, read_clouds, read_header
from cloudchamber.errors import InputError, SettingsError
from cloudchamber.preparation.exact_sum import exact_sum, rounded
from cloudchamber.preparation.groups import ingest_group, join_groups
from cloudchamber.preparation.ingestion import ingest
from cloudchamber.provenance.inspection import inspected
from cloudchamber.settings.ingestion import IngestionSettings
from cloudchamber.storage import sha256

JETS = {"kind": "reclustered", "jets_per_event": 3, "pt_window": [5.0, 1e5]}
Files = Callable[[Path, np.random.Generator], tuple[list[Path], dict[str, Any]]]


def write(path: Path, rng: np.random.Generator, events: int = 40, **leaves: Any) -> Path:
    of_events = {name: np.asarray(values, float)[:, None].tolist() for name, values in leaves.items()}
    return write_delphes(path, {"Tower": random_towers(rng, events)} | ({"Event": of_events} if leaves else {}))


def settings_of(**settings: Any) -> IngestionSettings:
    return IngestionSettings.model_validate({"clouds": JETS, "max_particles": 12, "step_size": "10 kB", **settings})


def groups_of(files: Sequence[Path], ends: Sequence[int]) -> list[Sequence[Path]]:
    return [files[start:end] for start, end in pairwise([0, *ends, len(files)])]


def joined(folder: Path, files: Sequence[Path], ends: Sequence[int], settings: IngestionSettings) -> Path:
    parts = []
    for number, group in enumerate(groups_of(files, ends)):
        parts.append(folder / f"part_{number}.h5")
        ingest_group(group, settings, parts[-1])
    join_groups(parts, folder / "joined.h5")
    return folder / "joined.h5"


# What may depend on files of other groups.


def copies(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """The first file is there again as the last one."""
    files = [write(folder / f"{name}.root", rng) for name in "abcd"]
    shutil.copyfile(files[0], folder / "e.root")
    return [*files, folder / "e.root"], {}


def weights(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """One file has weights of one, as is the branch of the others."""
    files = [write(folder / f"{name}.root", rng, Weight=rng.exponential(1e-3, 40)) for name in "abc"]
    return [*files, write(folder / "d.root", rng, Weight=np.ones(40))], {}


def equal_in_each_group(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """The events of a file weigh the same, those of the data set do not."""
    return [write(folder / f"{name}.root", rng, Weight=np.full(40, 1.0 + i)) for i, name in enumerate("abcd")], {}


def slices(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """The files of a slice are in several groups."""
    low = [write(folder / f"low_{i}.root", rng, Weight=rng.normal(1.0, 0.5, 40)) for i in range(3)]
    high = [write(folder / f"high_{i}.root", rng, Weight=np.full(40, 7.0)) for i in range(2)]
    sections = {str(folder / "low_*.root"): 1200.0, str(folder / "high_*.root"): 3.0}
    return [*high, *low], {"cross_sections": sections}


def bad_files(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """One file is no ROOT file: a group of its own has no clouds."""
    files = [write(folder / f"{name}.root", rng, Weight=rng.random(40)) for name in "abcd"]
    files[1].write_bytes(b"nothing")
    return files, {"on_bad_file": "skip"}


def unlike_files(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """All are compared with the first one, which is in another group; one of them is in MeV."""
    files = [write(folder / f"{name}.root", rng) for name in "abc"]
    towers = random_towers(rng, 40)
    in_mev = {**towers, "ET": [[1000 * value for value in values] for values in towers["ET"]]}
    return [*files, write_delphes(folder / "d.root", {"Tower": {**in_mev, "Eem": towers["ET"]}})], {
        "mixed_files": "accept"
    }


def put_together(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """The events of a file are of two cards, and each other file is like the first of these."""
    of_cards = []
    for size in (0.1, 0.087):
        towers = random_towers(rng, 40)
        lower = [[0.0] * len(values) for values in towers["ET"]]
        upper = [[size] * len(values) for values in towers["ET"]]
        edges = {"EdgeEtaLow": lower, "EdgeEtaHigh": upper, "EdgePhiLow": lower, "EdgePhiHigh": upper}
        of_cards.append({**towers, **edges})
    both = {leaf: [*values, *of_cards[1][leaf]] for leaf, values in of_cards[0].items()}
    contents = [both, of_cards[0], both, of_cards[0]]
    files = [write_delphes(folder / f"{n}.root", {"Tower": content}) for n, content in enumerate(contents)]
    return files, {"mixed_files": "accept"}


def stored_jets(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """The mean closure is a sum over all files."""
    files = []
    for name in "abcd":
        towers = random_towers(rng, 40)
        index = {"JetIndex": [[0] * len(values) for values in towers["ET"]]}
        jets = one_jet(towers)
        jets["PT"] = [
            [value * scale for value in values]
            for values, scale in zip(jets["PT"], rng.uniform(0.8, 1.2, 40), strict=True)
        ]
        files.append(write_delphes(folder / f"{name}.root", {"Tower": {**towers, **index}, "Jet": jets}))
    return files, {"clouds": {"kind": "stored", "jets_per_event": 3}}


def few_clouds(folder: Path, rng: np.random.Generator) -> tuple[list[Path], dict[str, Any]]:
    """Most groups have no clouds at all."""
    files = [write(folder / f"{name}.root", rng, 3) for name in "abc"]
    hard = {"ET": [[500.0, 1.0]], "Eta": [[0.0, 0.1]], "Phi": [[0.0, 0.1]]}
    return [*files, write_delphes(folder / "d.root", {"Tower": hard})], {"clouds": {**JETS, "pt_window": [490, 1e5]}}


CASES: Sequence[Files] = (
    copies,
    weights,
    equal_in_each_group,
    slices,
    bad_files,
    unlike_files,
    put_together,
    stored_jets,
    few_clouds,
)


@pytest.mark.parametrize("ends", [(1, 2, 3), (2,), (3,), ()], ids=str)
@pytest.mark.parametrize("files", CASES)
def test_the_joined_file_has_the_bytes_of_one_job(
    tmp_path: Path, rng: np.random.Generator, files: Files, ends: Sequence[int], capsys: pytest.CaptureFixture[str]
) -> None:
    paths, chosen = files(tmp_path, rng)
    settings = settings_of(**chosen)
    ingest(paths, settings, tmp_path / "whole.h5")
    said = capsys.readouterr().err.splitlines()[-1].removeprefix("ingest: ")
    made = joined(tmp_path, paths, ends, settings)
    assert capsys.readouterr().err.splitlines()[-1] == f"join-groups: {said}"
    assert read_header(made) == read_header(tmp_path / "whole.h5")
    assert sha256(made) == sha256(tmp_path / "whole.h5")


def test_the_cases_hold_what_they_are_about(tmp_path: Path, rng: np.random.Generator) -> None:
    """A case in which nothing depends on other groups would show nothing."""
    found = {}
    for files in CASES:
        folder = tmp_path / files.__name__
        folder.mkdir()
        paths, chosen = files(folder, rng)
        ingest(paths, settings_of(**chosen), folder / "clouds.h5")
        found[files.__name__] = read_clouds(folder / "clouds.h5", weighted=True)
    assert found["copies"].meta["identical_clouds"] > 40
    assert found["weights"].event_weight is not None
    assert set(found["equal_in_each_group"].event_weight) == {1, 2, 3, 4}  # type: ignore[arg-type]
    assert found["slices"].meta["event_weights"]["sum"] == pytest.approx(1203)
    assert found["slices"].meta["event_weights"]["negative_events"]
    assert len(found["bad_files"].meta["files_skipped"]) == 1
    assert len(found["unlike_files"].meta["mixed_files"]) == 1
    assert len(found["put_together"].meta["mixed_files"]) == 2
    assert found["stored_jets"].meta["closure"]["of_jets"]["mean"] != 1
    assert len(found["few_clouds"]) == 1


def test_a_file_of_more_than_a_block_of_clouds(tmp_path: Path, rng: np.random.Generator) -> None:
    """Blocks of the file and of the groups do not begin together."""
    events = 3000
    files = []
    for name in "abc":
        towers = {leaf: [[value] for value in rng.random(events).tolist()] for leaf in ("ET", "Eta", "Phi")}
        leaves = {"Weight": rng.random(events)[:, None].tolist()}
        files.append(write_delphes(tmp_path / f"{name}.root", {"Tower": towers, "Event": leaves}))
    settings = settings_of(clouds={"kind": "events"}, max_particles=2)
    ingest(files, settings, tmp_path / "whole.h5")
    assert sha256(joined(tmp_path, files, (1, 2), settings)) == sha256(tmp_path / "whole.h5")


@pytest.mark.parametrize("chosen", [{}, {"label_branch": "Event.Class", "clouds": {"kind": "events"}}], ids=str)
def test_what_one_job_refuses_is_refused_in_the_same_words(
    tmp_path: Path, rng: np.random.Generator, chosen: dict[str, Any]
) -> None:
    leaves = {"Class": np.zeros(40), "Weight": rng.random(40)}
    with_weights = write(tmp_path / "a.root", rng, **leaves)
    towers = random_towers(rng, 40)
    without = write_delphes(tmp_path / "b.root", {"Tower": towers, "Event": {"Class": np.zeros((40, 1), int).tolist()}})
    refused(tmp_path, [with_weights, without], settings_of(**chosen))


def test_files_that_are_not_alike_are_refused_in_the_same_words(tmp_path: Path, rng: np.random.Generator) -> None:
    paths, _ = unlike_files(tmp_path, rng)
    refused(tmp_path, paths, settings_of())


def test_a_slice_without_files_is_refused_in_the_same_words(tmp_path: Path, rng: np.random.Generator) -> None:
    paths, chosen = slices(tmp_path, rng)
    (tmp_path / "other.root").write_bytes(b"")
    chosen["cross_sections"][str(tmp_path / "other.root")] = 1.0
    refused(tmp_path, paths, settings_of(**chosen))


def test_no_clouds_at_all_are_refused_in_the_same_words(tmp_path: Path, rng: np.random.Generator) -> None:
    paths = [write(tmp_path / f"{name}.root", rng) for name in "ab"]
    refused(tmp_path, paths, settings_of(clouds={**JETS, "pt_window": [1e4, 1e5]}))


def refused(folder: Path, files: Sequence[Path], settings: IngestionSettings) -> None:
    with pytest.raises((InputError, SettingsError)) as of_one_job:
        ingest(files, settings, folder / "whole.h5")
    with pytest.raises((InputError, SettingsError)) as of_groups:
        joined(folder, files, (1,), settings)
    assert str(of_groups.value) == str(of_one_job.value)
    assert type(of_groups.value) is type(of_one_job.value)
    assert not (folder / "joined.h5").exists()


# Parts.


def parts_of(folder: Path, rng: np.random.Generator, **settings: Any) -> list[Path]:
    parts = []
    for name in "ab":
        parts.append(folder / f"part_{name}.h5")
        ingest_group([write(folder / f"{name}.root", rng, Weight=rng.random(40))], settings_of(**settings), parts[-1])
    return parts


def test_a_part_is_not_taken_for_clouds(tmp_path: Path, rng: np.random.Generator) -> None:
    """Its clouds have no weights yet."""
    part = parts_of(tmp_path, rng)[0]
    with pytest.raises(InputError, match=r"part_a\.h5: not a cloud file"):
        read_clouds(part, weighted=True)
    assert inspected(part)["kind"] == "clouds of some files of a data set"


def test_parts_in_another_order_twice_or_of_other_settings_are_refused(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    first, second = parts_of(tmp_path, rng)
    other = tmp_path / "other.h5"
    ingest_group([tmp_path / "b.root"], settings_of(max_particles=5), other)
    for parts, message in (
        ((second, first), r"part_a\.h5: has .*a\.root, which comes before .*b\.root"),
        ((first, first), r"part_a\.h5: has .*a\.root, which a part before it has too"),
        ((first, other), r"other\.h5: made with other settings or versions than .*part_a\.h5"),
    ):
        with pytest.raises(InputError, match=message):
            join_groups(parts, tmp_path / "joined.h5")
        assert not (tmp_path / "joined.h5").exists()


def test_a_part_that_says_nothing_of_its_files_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    part = parts_of(tmp_path, rng)[0]
    with h5py.File(part, "a", libver=("v110", "v110")) as file:
        del file["meta"]
        file["meta"] = np.frombuffer(b"{}", "u1")
    with pytest.raises(InputError, match="no group of files: nothing is stored of"):
        join_groups([part], tmp_path / "joined.h5")


def test_hashes_of_all_raw_files_are_in_the_joined_file(tmp_path: Path, rng: np.random.Generator) -> None:
    settings = json.dumps(settings_of().model_dump(mode="json"))
    files = [write(tmp_path / f"{name}.root", rng) for name in "ab"]
    parts = [tmp_path / f"part_{name}.h5" for name in "ab"]
    for file, part in zip(files, parts, strict=True):
        assert main(["ingest-group", str(file), "--settings", settings, "--output", str(part)]) == 0
    assert main(["join-groups", *map(str, parts), "--output", str(tmp_path / "joined.h5")]) == 0
    found = inspected(tmp_path / "joined.h5")
    assert found["provenance"]["inputs"] == {str(file): sha256(file) for file in files}
    assert found["record"]["inputs"] == {str(part): sha256(part) for part in parts}


def test_a_piece_of_a_part_is_what_it_was_written_with(tmp_path: Path, rng: np.random.Generator) -> None:
    part = parts_of(tmp_path, rng)[0]
    with open_clouds(part, kind="cloudchamber-cloud-group") as file:
        assert len(file.rows("event_weight")) == len(file) == len(file.rows("fingerprint"))


def test_exact_sums_do_not_depend_on_order_or_grouping(rng: np.random.Generator) -> None:
    values = (rng.normal(size=300) * 10.0 ** rng.integers(-12, 12, 300)).tolist()
    total = rounded(exact_sum(values))
    for _ in range(20):
        rng.shuffle(values)
        cut = int(rng.integers(300))
        assert rounded(exact_sum(exact_sum(values[:cut]), exact_sum(values[cut:]))) == total
