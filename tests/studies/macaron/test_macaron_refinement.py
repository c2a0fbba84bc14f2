"""Networks with one F and one G: what they compute, and how they converge when steps get shorter."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from figure_texts import text_faults
from pronged_jets import tagging_clouds, write_tagging_jets
from torch.nn import functional

from cloudchamber.classification.taggers import CloudTagger, StoredTagger, build_tagger, save_tagger
from cloudchamber.errors import InputError
from cloudchamber.figures import style
from cloudchamber.networks.cloud_rows import PaddedRows
from cloudchamber.networks.particle_dynamics import ParticleDynamics
from cloudchamber.settings.taggers import ParticleDynamicsTagger, TaggerSettings, TransformerTagger
from cloudchamber.settings.training import TrainingSettings
from cloudchamber.studies.macaron import tables
from cloudchamber.studies.macaron.evaluate import evaluate
from cloudchamber.studies.macaron.figures.refinement import draw_refinement
from cloudchamber.studies.macaron.refine import refine
from cloudchamber.studies.macaron.settings import MeasurementSettings, RefinementSettings

SIZES: dict[str, Any] = {"heads": 2, "width": 8, "feed_forward": 12, "hidden": (6,), "towers": 16}
SETTINGS = RefinementSettings(factors=(4, 8, 16), limit_factor=64, jets=20)


def network(scheme: str = "lie", duration: float = 2.0) -> CloudTagger:
    torch.manual_seed(4)
    settings = ParticleDynamicsTagger.model_validate(
        {"kind": "particle_dynamics", "scheme": scheme, "duration": duration, "steps": 2, **SIZES}
    )
    tagger = build_tagger(settings, 2)
    assert isinstance(tagger, CloudTagger)
    return tagger.eval()


def write_network(folder: Path, name: str, tagger: CloudTagger, settings: Any) -> dict[str, Any]:
    stored = StoredTagger(TaggerSettings(network=settings, training=TrainingSettings(steps=1)), tagger, ("1", "3"), ())
    weights, description = folder / f"{name}.safetensors", folder / f"{name}.json"
    save_tagger(weights, description, stored, tagger.state_dict(), {}, {})
    return {"arm": name, "seed": 1, "weights": str(weights), "description": str(description)}


@pytest.fixture(scope="module")
def refined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refined")
    write_tagging_jets(folder / "jets.h5", tagging_clouds(jets=150))
    trainings = []
    for scheme in ("lie", "strang"):
        settings = ParticleDynamicsTagger.model_validate(
            {"kind": "particle_dynamics", "scheme": scheme, "duration": 2.0, "steps": 2, **SIZES}
        )
        trainings.append(write_network(folder, scheme, network(scheme), settings))
    refine(folder / "jets.h5", {"trainings": trainings}, SETTINGS, folder / "refinement.csv")
    return folder


@torch.no_grad()
@pytest.mark.parametrize("scheme", ["lie", "strang"])
def test_the_network_is_its_formula(scheme: str) -> None:
    tagger = network(scheme)
    inner = tagger.network
    assert isinstance(inner, ParticleDynamics)
    particles, mask = torch.randn(5, 3, generator=torch.Generator().manual_seed(1)), torch.ones(1, 5, dtype=torch.bool)

    def drift(x: torch.Tensor, share: float) -> torch.Tensor:
        return x + share * inner.outer(functional.gelu(inner.inner(inner.drift_norm(x))))

    x = inner.first(particles)
    for _ in range(2):
        x = drift(x, 0.5) if scheme == "strang" else x
        queries, keys, values = inner.attention.queries_keys_values(inner.attention_norm(x)).chunk(3, dim=1)
        heads = []
        for head in range(2):
            own = slice(4 * head, 4 * head + 4)
            heads.append((queries[:, own] @ keys[:, own].T / 2).softmax(dim=1) @ values[:, own])
        x = x + inner.attention.out(torch.cat(heads, dim=1))
        x = drift(x, 0.5 if scheme == "strang" else 1.0)
    expected = inner.cloud(inner.norm(x).mean(dim=0, keepdim=True))
    torch.testing.assert_close(inner(particles, particles, PaddedRows(mask)), expected, rtol=1e-5, atol=1e-6)


def test_the_weights_do_not_depend_on_the_number_of_steps() -> None:
    shapes = {name: value.shape for name, value in network().state_dict().items()}
    assert {name: value.shape for name, value in network("strang", 9.0).state_dict().items()} == shapes


def test_networks_converge_with_the_order_in_theory(refined: Path) -> None:
    table = pd.read_csv(refined / "refinement.csv")
    assert set(table["model"]) == {"lie", "strang"}
    errors = table.set_index(["model", "scheme", "sub_step", "steps"])["state_error"].sort_index()
    for model in ("lie", "strang"):
        for scheme, sub_step, ratio in (
            ("lie", "euler", 2),
            ("strang", "euler", 2),
            ("lie", "midpoint", 2),
            ("strang", "midpoint", 4),
        ):
            of = errors[model, scheme, sub_step]
            assert of[16] / of[32] == pytest.approx(ratio, rel=0.15), (scheme, sub_step)
    assert (table.loc[table["scheme"] == "limit", "state_error"] == 0).all()
    assert (table["jets"] <= 20).all()


def test_the_limit_is_one_whatever_the_scheme_of_the_training(refined: Path) -> None:
    """Both networks have the same weights here, so that all their rows are alike."""
    table = pd.read_csv(refined / "refinement.csv")
    columns = ["scheme", "sub_step", "steps", "state_error", "logit_error", "accuracy"]
    one, other = (table.loc[table["model"] == name, columns].reset_index(drop=True) for name in ("lie", "strang"))
    pd.testing.assert_frame_equal(one, other)


def test_orders_reach_metrics_table_and_figure(
    refined: Path, evaluated: dict[str, Any], arms_folder: Path, study_files: dict[str, Any], tmp_path: Path
) -> None:
    files = evaluated | {"refinement": str(refined / "refinement.csv")}
    evaluate(
        arms_folder / "jets.h5", files, MeasurementSettings(bootstraps=2), 1, tmp_path / "m.csv", tmp_path / "d.csv"
    )
    titles = [{"name": name, "title": f"one F and one G, {name}"} for name in ("lie", "strang")]
    shown = {"metrics": str(tmp_path / "m.csv"), "refinement": files["refinement"], "models": titles}
    table = tables.refinement(shown)
    assert len(table.rows) == 8
    for row in table.rows:
        assert float(row[4].split(" ")[0]) == pytest.approx(float(row[5]), abs=0.2)
    with style.applied():
        assert text_faults(draw_refinement(shown)) == []


def test_another_network_is_refused(refined: Path, tmp_path: Path) -> None:
    settings = TransformerTagger.model_validate({"kind": "transformer", **SIZES})
    tagger = build_tagger(settings, 2)
    assert isinstance(tagger, CloudTagger)
    training = write_network(tmp_path, "other", tagger, settings)
    with pytest.raises(InputError, match="no network of kind 'particle_dynamics'"):
        refine(refined / "jets.h5", {"trainings": [training]}, SETTINGS, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
