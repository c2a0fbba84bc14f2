"""The public names of the package and how they are called: a change here is one that users see."""

import inspect
import subprocess
import sys
import typing

import pytest
from project_copy import REPOSITORY

import cloudchamber

# Name -> how it is called; None for what is no function. A change that breaks calls needs a new major version
# (docs/library.md).
SIGNATURES: dict[str, str | None] = {
    "NETWORKS": None,
    "CloudchamberError": None,
    "Clouds": "(points, mask, features, labels, point_columns, feature_columns=(), label_columns=(), "
    "indices=<factory>, meta=<factory>)",
    "Column": "(name, unit='1')",
    "InputError": None,
    "LogPosterior": "(nlp, nlp_generated_only, c2st_auc)",
    "Measurement": "(value, uncertainty, floor, floor_uncertainty, n_reference, n_generated)",
    "SettingsError": None,
    "__version__": None,
    "build_network": "(name, **options)",
    "clouds_from_arrays": "(points, mask=None, *, point_columns=None, features=None, labels=None)",
    "clouds_from_awkward": "(particles, *, max_particles=None, features=None, labels=None)",
    "compare": "(truth, generated, train, *, settings=None, seed=1)",
    "coverage": "(truth, generated, floor=None, *, jets=50, batches=5, seed=1)",
    "duplicates": "(train, test, generated)",
    "energy_correlations": "(jets)",
    "energy_flow_polynomials": "(jets)",
    "energy_mover": "(first, second, radius=1.0)",
    "fpd": "(truth, generated, floor=None, *, seed=1)",
    "ingest": "(files, *, output=None, **settings)",
    "jet_mass": "(jets)",
    "jet_observables": "(jets, jet_pt=None)",
    "kl": "(truth, generated, floor=None, *, bins=100, bootstraps=50, seed=1)",
    "kpd": "(truth, generated, floor=None, *, seed=1)",
    "load_model": "(path)",
    "memorisation": "(train, test, generated)",
    "mmd": "(truth, generated, floor=None, *, jets=50, batches=5, seed=1)",
    "nlp": "(truth, samples, *, settings=None, seed=1, state=None)",
    "read_clouds": "(path, weighted=False)",
    "relative_jets": "(clouds)",
    "subjettiness": "(jets, n_axes=3, betas=(1.0,), radius=0.8)",
    "w1": "(truth, generated, floor=None, *, bootstraps=50, seed=1)",
    "w1efp": "(truth, generated, floor=None, *, bootstraps=50, seed=1)",
    "w1m": "(truth, generated, floor=None, *, bootstraps=50, seed=1)",
    "w1p": "(truth, generated, floor=None, *, bootstraps=50, seed=1)",
    "write_clouds": "(path, clouds)",
}
# What trained models can do, by what reads them: "module:class" -> methods.
MODELS: dict[str, dict[str, str]] = {
    "generative_model:GenerativeModel": {
        "sample": "(self, jets, *, jet_level=None, seed=1, solver=None, evaluations=None, momentum_sum=None)"
    },
    "generative_model:JetLevelModel": {"sample": "(self, n, *, seed=1)"},
    "tagger_model:TaggerModel": {"predict": "(self, jets, *, jet_pt=None, jet_eta=None)"},
    "assignment_model:AssignmentModel": {"predict": "(self, jets, mask=None)"},
    "neutrino_model:NeutrinoModel": {"predict": "(self, hits, counts, prongs)"},
    "score_model:TrainedScore": {
        "evaluate": "(self, states, drive)",
        "velocity": "(self, states, drive)",
    },
    "star_model:StarEstimator": {"predict": "(self, stars, mask=None)"},
    "star_model:StarPosterior": {
        "draw": "(self, stars, n, mask=None, *, seed=1, cells=100)",
        "log_density": "(self, stars, parameters, mask=None)",
    },
    "shower_model:ShowerModel": {
        "sample": "(self, energy, direction, pdg, counts, *, seed=1, solver=None, evaluations=None)"
    },
    "shower_model:ShowerCountModel": {"sample": "(self, energy, direction, pdg, *, seed=1)"},
}


def called(function: object) -> str:
    """Return a signature without its annotations."""
    signature = inspect.signature(function)  # type: ignore[arg-type]
    empty = inspect.Parameter.empty
    plain = [item.replace(annotation=empty) for item in signature.parameters.values()]
    return str(signature.replace(parameters=plain, return_annotation=inspect.Signature.empty))


def test_public_names_are_pinned() -> None:
    assert set(cloudchamber.__all__) == set(SIGNATURES)
    assert set(SIGNATURES) <= set(dir(cloudchamber))


@pytest.mark.parametrize(("name", "signature"), SIGNATURES.items())
def test_each_public_name_is_called_as_pinned(name: str, signature: str | None) -> None:
    value = getattr(cloudchamber, name)
    if signature is not None:
        assert called(value) == signature
        assert inspect.getdoc(value)


@pytest.mark.parametrize(("entry", "methods"), MODELS.items())
def test_methods_of_trained_models_are_pinned(entry: str, methods: dict[str, str]) -> None:
    module, _, name = entry.partition(":")
    model = getattr(__import__(f"cloudchamber.library.{module}", fromlist=[name]), name)
    public = {key: value for key, value in vars(model).items() if callable(value) and not key.startswith("_")}
    assert {key: called(value) for key, value in public.items()} == methods


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'cloudchamber' has no attribute 'nothing'"):
        cloudchamber.nothing  # noqa: B018


def test_type_checkers_see_every_name_that_the_package_imports_later() -> None:
    text = (REPOSITORY / "src/cloudchamber/__init__.py").read_text(encoding="utf-8")
    block = text[text.index("if TYPE_CHECKING:") : text.index("__all__ = [")]
    for name in SIGNATURES:
        assert name == "__version__" or name in block, name
    assert typing.TYPE_CHECKING is False


PROGRAM = """
import sys
before = set(sys.modules)
import cloudchamber
assert cloudchamber.__version__
heavy = {name.partition(".")[0] for name in set(sys.modules) - before}
heavy &= {"torch", "numpy", "numba", "pandas", "scipy", "h5py", "pydantic", "awkward", "uproot", "matplotlib"}
assert not heavy, heavy
"""


def test_the_import_is_light() -> None:
    """Nothing but the standard library is imported, so that the time is that of Python itself."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_metrics_and_files_import_no_torch() -> None:
    names = [name for name in SIGNATURES if name not in ("nlp",)]
    program = f"import sys, cloudchamber\n[getattr(cloudchamber, name) for name in {names!r}]\n"
    program += "cloudchamber.kl([1.0, 2.0, 3.0], [1.0, 2.0, 2.5], bins=2)\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
