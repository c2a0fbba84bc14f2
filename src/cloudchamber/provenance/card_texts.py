"""The sentences of cards of models of jets: what one is for, where it ends, how it is used, what the metrics are."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["HOW_TO_READ", "LIMITS", "METRICS", "STAND_IN", "USES", "usage"]

_VALUES = (
    "Value ± uncertainty from the sizes of the samples; with several seeds their mean, in brackets the standard "
    "deviation over seeds. "
)
_GENERATED = _VALUES + (
    "The floor is the same metric of independent true jets in place of generated ones: a model at the floor cannot be "
    "told from truth with so many jets."
)

HOW_TO_READ: Mapping[str, str] = {
    "generator": _GENERATED,
    "jet_flow": _GENERATED,
    "tagger": _VALUES + "The floor is what guessing gets; for the calibration error, what true probabilities get.",
}

METRICS: Mapping[str, str] = {
    "kl": "Kullback-Leibler divergence of generated from true jets in nats",
    "w1": "Wasserstein-1 distance in the unit of the feature (GeV for masses and pT)",
    "w1m": "Wasserstein-1 distance of the jet mass over the jet pT",
    "w1p": "mean Wasserstein-1 distance of particle features",
    "w1efp": "mean Wasserstein-1 distance of five energy flow polynomials",
    "fpd": "Frechet distance of 36 energy flow polynomials",
    "kpd": "kernel distance of the same polynomials",
    "coverage": "share of true jets that are the nearest to some generated one (higher is better)",
    "mmd": "mean distance of true jets from the nearest generated one",
    "memorisation": "share of generated jets that are copies of training jets, zero on average where there are none",
    "duplicates": "share of generated jets that a training jet equals up to rounding",
    "nlp": "mean negative log posterior that true jets give the model, among all models of the study and truth",
    "nlp_generated_only": "the same among the models alone",
    "nlp_ideal": "its value where no class can be told from truth",
    "c2st_auc": "area under the curve of a classifier of true against generated jets (0.5 is best)",
    "teacher_auc": "area under the curve of a classifier of jets of the flow map against those of its teacher",
    "accuracy": (
        "share of jets whose class is found (classes alike, jets flat in mass and pT where the sample has such weights)"
    ),
    "auc": "area under the curve of a class against all others; without a class their mean",
    "rejection": "one over the background efficiency where half of the signal is kept",
    "calibration_error": "mean distance of probability from accuracy (lower is better)",
    "parameters": "trained parameters",
    "flops_per_jet": "floating-point operations of the matrix products of one inference",
    "training_seconds_per_jet": "time of a training step per jet, on the machine of the run",
    "inference_seconds_per_jet": "time of an inference per jet, on the machine of the run",
    "seconds_per_jet": "elapsed time of sampling, on the machine of the run",
    "evaluations_per_jet": "network evaluations of sampling",
}

STAND_IN = (
    "The data are this project's own simulation (Pythia 8 and a fast detector): a stand-in for published samples. No "
    "number here may be compared with a number printed for another data set."
)

USES: Mapping[str, list[str]] = {
    "generator": [
        "To study generative models of jets: to compare networks, objectives and solvers, and to try new metrics.",
        "A cloud is drawn for a given multiplicity and jet, which `cloudchamber draw-jets` provides.",
    ],
    "jet_flow": ["To ask generative models of clouds for jets; it draws no particles by itself."],
    "tagger": [
        "To study classifiers of jets: to compare networks and inputs on the jets of this study.",
        "`tagger.onnx` beside the weights of the first seed is the same tagger for other programs.",
    ],
}

_OUTSIDE = (
    "Outside the range of its training jets (process, pT window, jet radius, number of particles) it says nothing, and "
    "it gives no warning there."
)

LIMITS: Mapping[str, list[str]] = {
    "generator": [
        _OUTSIDE,
        "It does not replace a simulation: rare jets, and correlations that no metric above looks at, may be wrong.",
        "A metric well above its floor says where it is known to be wrong.",
        "More generated jets hold no more information than the training jets.",
    ],
    "jet_flow": [_OUTSIDE],
    "tagger": [
        _OUTSIDE,
        "Its probabilities hold for classes as frequent as in the training, and for jets of the same detector.",
    ],
}


def usage(kind: str, files: Mapping[str, Any]) -> list[str]:
    """Return commands and, where it takes little, a program that use the first training of a model.

    Args:
        kind: "generator", "jet_flow" or "tagger".
        files: those of the card.
    """
    first = files["trainings"][0]
    model = f"{first['weights']} {first['description']}"
    match kind:
        case "jet_flow":
            return _of_flow(files, model)
        case "tagger":
            features = "".join(f" --high-level {path}" for path in files["high_level"])
            command = f"cloudchamber predict-classes {files['prepared']}{features} --model {model} --output scores.h5"
            return [f"```\n{command}\n```"]
    return _of_generator(files, first, model)


def _of_flow(files: Mapping[str, Any], model: str) -> list[str]:
    command = f"cloudchamber draw-jets {files['prepared']} --jets 1000 --seed 1 --model {model} --output jets.h5"
    program = 'from cloudchamber.generative.jet_features import read_jets\n\njets = read_jets("jets.h5")'
    return [f"```\n{command}\n```", f"```python\n{program}\n```"]


def _of_generator(files: Mapping[str, Any], first: Mapping[str, Any], model: str) -> list[str]:
    sampler = next(iter(files["samplers"].values()))
    jets = f"cloudchamber draw-jets {files['prepared']} --jets 1000 --seed 1 --output jets.h5"
    sample = (
        f"cloudchamber sample jets.h5 --model {model} --settings '{json.dumps(sampler)}' --seed 1 --output sample.h5"
    )
    arguments = ", ".join(f"{name}={value!r}" for name, value in sampler.items())
    program = f"""from pathlib import Path

from cloudchamber.generative.artifact import load_artifact
from cloudchamber.generative.jet_features import read_jets
from cloudchamber.generative.sample import draw_clouds
from cloudchamber.settings.generators import SamplerSettings

artifact = load_artifact(Path("{first["weights"]}"), Path("{first["description"]}"))
drawn = draw_clouds(artifact, read_jets("jets.h5"), SamplerSettings({arguments}), seed=1)
drawn.values  # (particles of all jets, 3): eta_rel, phi_rel [rad], pt_rel"""
    return [f"```\n{jets}\n{sample}\n```", "Or in Python:", f"```python\n{program}\n```"]
