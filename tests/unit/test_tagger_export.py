"""Taggers as ONNX files: the same numbers from onnxruntime."""

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from pronged_jets import tagging_clouds

from cloudchamber.classification.export import export_tagger
from cloudchamber.classification.taggers import StoredTagger, build_tagger, save_tagger
from cloudchamber.errors import InputError
from cloudchamber.provenance.contents import read_contents
from cloudchamber.settings.base import parse
from cloudchamber.settings.taggers import TaggerSettings

FEATURES = ("mass", "tau1")
NETWORKS = [
    {"kind": "dense", "hidden": (5,)},
    {"kind": "particle_flow", "inputs": "kinematic", "aligned": True, "tower": (6,), "hidden": (5,)},
    {"kind": "transformer", "layers": 1, "heads": 2, "width": 8, "feed_forward": 8, "hidden": (5,)},
    {"kind": "transformer", "layers": 1, "heads": 2, "width": 8, "feed_forward": 8, "hidden": (5,), "block": "macaron"},
    {"kind": "particle_net", "network": {"neighbours": 3, "blocks": ((6, 6),), "fusion": 4, "dense": 5}},
    {
        "kind": "particle_transformer",
        "embedding": (8,),
        "pair_embedding": (4,),
        "heads": 2,
        "layers": 1,
        "class_layers": 1,
    },
]


def write_tagger(folder: Path, network: dict[str, object]) -> tuple[StoredTagger, Path, Path]:
    towers = {} if network["kind"] == "dense" else {"towers": 12}
    settings = parse(TaggerSettings, {"network": network | towers, "training": {"steps": 1}})
    features = FEATURES if network["kind"] == "dense" else ()
    torch.manual_seed(3)
    tagger = build_tagger(settings.network, 3, features).eval()
    tagger.inputs.mean.fill_(0.1)
    stored = StoredTagger(settings, tagger, ("1", "2", "4b"), features)
    weights, description = folder / "weights.safetensors", folder / "model.json"
    save_tagger(weights, description, stored, tagger.state_dict(), {}, {})
    return stored, weights, description


def test_features_of_narrow_distributions_are_no_obstacle(tmp_path: Path) -> None:
    stored, weights, description = write_tagger(tmp_path, {"kind": "dense", "hidden": (64,)})
    # Random numbers from 0 to 1 would be hundreds of deviations away, where log probabilities are in the thousands.
    stored.tagger.inputs.mean.fill_(-6.0)
    stored.tagger.inputs.deviation.fill_(0.01)
    save_tagger(weights, description, stored, stored.tagger.state_dict(), {}, {})
    export_tagger(weights, description, tmp_path / "tagger.onnx")
    assert (tmp_path / "tagger.onnx").exists()


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: f"{network['kind']}-{network.get('block', '')}")
def test_onnxruntime_gives_the_same_log_probabilities(network: dict[str, object], tmp_path: Path) -> None:
    stored, weights, description = write_tagger(tmp_path, network)
    output = tmp_path / "tagger.onnx"
    export_tagger(weights, description, output)
    clouds = tagging_clouds(jets=21, width=12, fewest=1)
    if stored.features:
        inputs = (np.random.default_rng(2).random((21, 2), np.float32),)
    else:
        towers = np.stack([clouds.point(name) for name in ("pt_rel", "eta_rel", "phi_rel")], axis=2)
        # What lies in padded slots must not matter.
        towers[~clouds.mask] = 7.0
        inputs = (towers, clouds.features[:, :2], clouds.mask)
    session = onnxruntime.InferenceSession(str(output), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, dict(zip(stored.tagger.input_names, inputs, strict=True)))
    with torch.no_grad():
        expected = stored.tagger(*map(torch.from_numpy, inputs)).log_softmax(dim=1).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    model = onnx.load(output)
    properties = {item.key: json.loads(item.value) for item in model.metadata_props}
    assert properties["classes"] == ["1", "2", "4b"]
    assert properties["features"] == list(stored.features)
    assert b".py" not in output.read_bytes(), "paths of this machine"
    contents = read_contents(output)
    assert (contents.kind, contents.facts["classes"]) == ("tagger in ONNX", ["1", "2", "4b"])
    assert contents.facts["inputs"] == list(stored.tagger.input_names)


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "tagger.onnx"
    path.write_bytes(b"not a graph")
    with pytest.raises(InputError, match=r"tagger\.onnx: cannot be read as ONNX: "):
        read_contents(path)


def test_without_the_packages_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"the export needs the package 'onnx': pip install 'cloudchamber\[export\]'"):
        export_tagger(tmp_path / "weights", tmp_path / "model", tmp_path / "tagger.onnx")
