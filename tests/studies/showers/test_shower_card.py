"""Cards of the networks say what their files say, and what they tell to do works."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from model_cards import commands_of, section, table_rows, write_card
from test_shower_steps import NETWORK, TO_MAP, TRAINING, entry, paths

from cloudchamber.cli import main
from cloudchamber.settings.base import parse
from cloudchamber.studies.showers.card_kinds import CountsCard, PointsCard
from cloudchamber.studies.showers.evaluate import evaluate
from cloudchamber.studies.showers.judge import judge
from cloudchamber.studies.showers.model_settings import CountSettings, ShowerModelSettings, ShowerSampler
from cloudchamber.studies.showers.sample import sample
from cloudchamber.studies.showers.settings import EvaluationSettings, JudgeSettings
from cloudchamber.studies.showers.shower_file import open_showers
from cloudchamber.studies.showers.train import train_counts, train_map, train_points

SAMPLER = {"solver": "midpoint", "evaluations": 2}


@pytest.fixture(scope="module")
def cards(showers_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What the cards of a flow, of a flow map and of the numbers of points are written from."""
    folder, source = tmp_path_factory.mktemp("cards"), showers_folder / "showers.h5"
    points = parse(ShowerModelSettings, {"network": NETWORK, "training": TRAINING})
    counts = parse(CountSettings, {"hidden": [16], "training": TRAINING, "evaluations": 2})
    train_points(source, points, 1, folder / "state", **paths(folder / "flow"))
    train_counts(source, counts, 1, folder / "state", **paths(folder / "counts"))
    teacher = paths(folder / "flow")
    train_map(source, teacher["weights"], teacher["description"], TO_MAP, 1, folder / "state", **paths(folder / "map"))
    samplers = {"flow": ("midpoint", SAMPLER), "map": ("two", {"solver": "flow_map", "evaluations": 2})}
    samples = []
    for name, (sampler, settings) in samplers.items():
        output = folder / f"{name}.h5"
        files = {"models": [entry(folder / name)], "counts": entry(folder / "counts")}
        sample(source, files, parse(ShowerSampler, settings), 1, output)
        samples.append({"name": name, "sampler": sampler, "seed": 1, "path": str(output)})
    given = {"showers": str(source), "samples": samples}
    quick = parse(JudgeSettings, {"features": {"hidden": [4], "training": TRAINING}})
    judge(given, quick, 1, folder / "state", folder / "judgements.csv")
    tables = [folder / f"{name}.csv" for name in ("metrics", "profiles", "spectra")]
    judged = {**given, "judgements": str(folder / "judgements.csv")}
    evaluate(judged, EvaluationSettings(bootstraps=3, bins=5), 1, *tables)
    common = {
        "study": "showers",
        "dataset": "all",
        "dataset_title": "photons and pions (parametrised showers)",
        "origin": "parametrised showers",
        "simulated": True,
        "showers": str(source),
        "metrics": str(folder / "metrics.csv"),
    }

    def of(name: str, **more: Any) -> dict[str, Any]:
        training = {"seed": 1, **{key: str(path) for key, path in paths(folder / name).items()}}
        return {**common, "name": name, "title": f"Network {name}", "trainings": [training], **more}

    drawn = {"species": [], "counts": entry(folder / "counts")}
    return {
        **{name: of(name, samplers=dict([samplers[name]]), **drawn) for name in samplers},
        "counts": of("counts", shown={"model": "flow", "sampler": "midpoint"}),
    }


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("flow", "points", "A flow of the points of a shower"),
        ("map", "points", "at most 2 evaluations"),
        ("counts", "counts", "PointCountFM: a flow of the logarithms"),
    ],
)
def test_the_card_says_what_the_files_say(
    name: str, kind: str, words: str, cards: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    card = write_card(f"showers/{kind}", cards[name], tmp_path / "card.md")
    assert card.startswith(f"# Network {name}, trained on photons and pions (parametrised showers)\n")
    assert words in section(card, "What it is")
    description = json.loads(Path(cards[name]["trainings"][0]["description"]).read_text())
    assert f"| parameters | {description['parameters']:,} (" in card
    with open_showers(cards[name]["showers"]) as showers:
        assert f"| showers | {len(showers):,}: {len(showers.part('train')):,} train" in card
    assert "| species | photon, pi plus |" in card
    assert f"| batch size | {TRAINING['batch_size']} |" in card
    cls = PointsCard if kind == "points" else CountsCard
    for text in (*cls.uses, *cls.limits, cls.stand_in):
        assert text in card


def test_metrics_stand_in_a_table_for_each_species_and_sampler(
    cards: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    text = section(write_card("showers/points", cards["flow"], tmp_path / "card.md"), "Metrics")
    titles = re.findall(r"^Of (.*), drawn by `midpoint`:$", text, re.MULTILINE)
    assert titles == ["photon", "pi plus", "all species together"]
    shown = {(row[0], row[1]) for row in table_rows(text)}
    assert {("w1", "hits"), ("profile_error", "radial"), ("auc_features", ""), ("memorisation", "")} <= shown
    assert "nan" not in text
    hits = section(write_card("showers/counts", cards["counts"], tmp_path / "counts.md"), "Metrics")
    assert {row[1] for row in table_rows(hits) if row[0] in CountsCard.metrics} == {"hits"}


def test_commands_and_programs_of_the_cards_work(
    cards: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("flow", "map"):
        (command,) = commands_of(write_card("showers/points", cards[name], tmp_path / "card.md"))
        assert main(command) == 0
        with open_showers("sample.h5") as made, open_showers(cards[name]["showers"]) as showers:
            assert len(made) == len(showers.part("asked"))
    card = write_card("showers/counts", cards["counts"], tmp_path / "card.md")
    (program,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    assert names["counts"].shape[1] == 78
    assert (names["counts"].sum(axis=1) > 0).all()
