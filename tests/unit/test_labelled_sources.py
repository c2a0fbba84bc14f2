"""Labelled jets of public layouts in config.yaml: what rules ask for, and the pieces in the documentation."""

import re
from pathlib import Path

import pytest
import yaml
from project_copy import REPOSITORY

from cloudchamber.pipeline import Pipeline
from cloudchamber.settings.base import load
from cloudchamber.settings.data import LabelledJetSettings
from cloudchamber.settings.tagging_sample import TaggingJetsSettings


def test_rules_ask_for_the_files_of_a_source(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.root").touch()
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    jets = {"max_particles": 128, "pt_window": [500, 1000]}
    source = {"kind": "labelled", "layout": "jetclass", "files": [str(tmp_path / "*.root")], "jets": jets}
    config["datasets"]["public"] = {"title": "public jets", "source": source}
    config["tagging"]["classes"]["public"] = {"title": "public", "dataset": "public"}
    pipeline = Pipeline(config)
    asked = type("Wildcards", (), {"dataset": "public"})()
    files = [str(tmp_path / "a.root"), str(tmp_path / "b.root")]
    assert list(pipeline.labelled_sources()) == ["public"]
    assert "public" not in pipeline.ingested_datasets()
    assert pipeline.dataset_files(asked) == files
    assert pipeline.labelled_layout(asked) == "jetclass"
    settings = load(LabelledJetSettings, pipeline.labelled_settings(asked))
    assert settings == LabelledJetSettings(max_particles=128, pt_window=(500, 1000))
    origins = {entry["file"]: entry["source"] for entry in pipeline.origins.all_files()}
    assert [origins[path] for path in files] == ["file of the user"] * 2
    assert "layout jetclass" in pipeline.origins.of_dataset("public")
    assert not pipeline.origins.simulated("public")


def snippets() -> list[str]:
    """Return the pieces of config.yaml in docs/own_data.md that make a tagging study."""
    text = (REPOSITORY / "docs/own_data.md").read_text()
    found = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    return [snippet for snippet in found if "tagging:" in snippet]


def test_every_layout_is_documented() -> None:
    sources = [source for snippet in snippets() for source in re.findall(r"layout: (\w+)", snippet)]
    assert sources == ["top_tagging", "jetclass", "jetclass2"]


@pytest.mark.parametrize("snippet", snippets(), ids=lambda snippet: snippet.split()[1])
def test_pieces_of_the_documentation_are_settings(snippet: str) -> None:
    config, piece = yaml.safe_load((REPOSITORY / "config.yaml").read_text()), yaml.safe_load(snippet)
    config["datasets"] |= piece["datasets"]
    config["tagging"] |= piece["tagging"]
    made = load(TaggingJetsSettings, Pipeline(config).tagging.jets_settings(None))
    (dataset,) = piece["datasets"]
    assert all(item.file.endswith(f"/{dataset}.h5") for item in made.classes)
    assert [item.label for item in made.classes] == [item["label"] for item in piece["tagging"]["classes"].values()]
