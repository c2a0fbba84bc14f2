"""The code that each stage depends on: the rules list it as input, so that a change there asks for a rerun."""

from cloudchamber.sources import sources_of

__all__ = ["code"]

# The module that does the work of each stage.
_ENTRIES = {
    "simulate": "simulation/simulate.py",
    "ingest": "preparation/ingestion.py",
    "from_jetnet": "readers/jetnet.py",
    "read_jets": "preparation/labelled_jets.py",
    "prepare": "preparation/prepare.py",
    "observe": "jets/observe.py",
    "train_jet_flow": "generative/train_jet_flow.py",
    "draw_jets": "generative/draw_jets.py",
    "compare_jets": "generative/compare_jets.py",
    "train": "generative/train.py",
    "sample": "generative/sample.py",
    "gather_sample": "generative/shards.py",
    "solver_scan": "generative/solver_scan.py",
    "sampling_time": "generative/sampling_time.py",
    "compare": "metrics/compare.py",
    "log_posterior": "metrics/posterior_step.py",
    "evaluate": "generative/gather.py",
    "tagging_jets": "classification/jets.py",
    "high_level": "classification/high_level.py",
    "train_tagger": "classification/train.py",
    "predict_classes": "classification/predict.py",
    "tagging_cost": "classification/cost.py",
    "tower_relevance": "studies/tagging/relevance.py",
    "export_tagger": "classification/export.py",
    "evaluate_tagging": "classification/evaluate.py",
    "model_card": "provenance/model_card.py",
    "data_table": "provenance/data_table.py",
    "draw": "figures/draw.py",
    "tabulate": "figures/tables.py",
}


def code(stage: str) -> list[str]:
    """Return the source files that a stage depends on, relative to the root of the repository."""
    return [f"src/cloudchamber/{path}" for path in sources_of(_ENTRIES[stage])]
