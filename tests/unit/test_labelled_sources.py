"""Labelled jets of public layouts in config.yaml: what rules ask for, and the pieces in the documentation."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.analysis import plan
from cloudchamber.classification.jobs import ClassificationJobs
from cloudchamber.pipeline.pipeline import Pipeline
from cloudchamber.settings.base import load
from cloudchamber.settings.data import LabelledJetSettings
from cloudchamber.settings.tagging_sample import TaggingJetsSettings


def _pipeline(piece: dict[str, Any]) -> Pipeline:
    """Return the default analysis with a piece of configuration over it."""
    return plan({**yaml.safe_load((REPOSITORY / "config.yaml").read_text()), **piece}, REPOSITORY)


def test_rules_ask_for_the_files_of_a_source(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.root").touch()
    jets = {"max_particles": 128, "pt_window": [500, 1000]}
    source = {"kind": "labelled", "layout": "jetclass", "files": [str(tmp_path / "*.root")], "jets": jets}
    datasets = {"public": {"title": "public jets", "source": source}}
    classes = {name: {"title": name, "dataset": "public", "label": label} for name, label in (("a", 0), ("b", 1))}
    pipeline = _pipeline({"datasets": datasets, "tagging": {"classes": classes}})
    asked = type("Wildcards", (), {"dataset": "public"})()
    files = [str(tmp_path / "a.root"), str(tmp_path / "b.root")]
    assert list(pipeline.clouds.labelled()) == ["public"]
    assert "public" not in pipeline.clouds.ingested()
    assert pipeline.clouds.files(asked) == files
    assert pipeline.clouds.labelled_layout(asked) == "jetclass"
    settings = load(LabelledJetSettings, pipeline.clouds.labelled_jets(asked))
    assert settings == LabelledJetSettings(max_particles=128, pt_window=(500, 1000))
    origins = {entry["file"]: entry["source"] for entry in pipeline.sources.all_files()}
    assert [origins[path] for path in files] == ["file of the user"] * 2
    assert "layout jetclass" in pipeline.sources.of_dataset("public")
    assert not pipeline.sources.simulated("public")


def snippets() -> list[str]:
    """Return the pieces of config.yaml in docs/own_data/labelled_jets.md that make a tagging study."""
    text = (REPOSITORY / "docs/own_data/labelled_jets.md").read_text()
    found = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [snippet for snippet in found if "tagging:" in snippet]


def test_every_layout_is_documented() -> None:
    sources = [source for snippet in snippets() for source in re.findall(r"layout: (\w+)", snippet)]
    assert sources == ["top_tagging", "jetclass", "jetclass2"]


@pytest.mark.parametrize("snippet", snippets(), ids=lambda snippet: snippet.split()[1])
def test_pieces_of_the_documentation_are_settings(snippet: str) -> None:
    piece = yaml.safe_load(snippet)
    pipeline = _pipeline(piece)
    jobs = pipeline.plans(ClassificationJobs).of_study["tagging"]
    made = load(TaggingJetsSettings, jobs.jets_settings(None))
    (dataset,) = piece["datasets"]
    # Nothing of the default acts on them that the piece does not say.
    assert [item.name for item in made.classes] == list(piece["tagging"]["classes"])
    said = {"classes": made.classes, **piece["tagging"].get("sample", {})}
    assert made == TaggingJetsSettings.model_validate(said)
    assert made.jets_per_class is None
    assert jobs.sizes() == ["all"]
    assert all(item.file.endswith(f"/{dataset}.h5") for item in made.classes)
    assert [item.label for item in made.classes] == [item["label"] for item in piece["tagging"]["classes"].values()]
