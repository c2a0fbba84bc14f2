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
    "observe": "evaluation/observe.py",
    "train_jet_flow": "generation/train_jet_flow.py",
    "draw_jets": "generation/draw_jets.py",
    "compare_jets": "evaluation/jet_level.py",
    "train": "generation/train.py",
    "sample": "generation/sample.py",
    "gather_sample": "generation/shards.py",
    "solver_scan": "generation/solver_scan.py",
    "sampling_time": "generation/sampling_time.py",
    "compare": "evaluation/compare.py",
    "log_posterior": "evaluation/posterior_step.py",
    "evaluate": "evaluation/gather.py",
    "tagging_jets": "tagging/jets.py",
    "high_level": "tagging/high_level.py",
    "train_tagger": "tagging/train.py",
    "predict_classes": "tagging/predict.py",
    "tagging_cost": "tagging/cost.py",
    "tower_relevance": "tagging/relevance.py",
    "export_tagger": "tagging/export.py",
    "evaluate_tagging": "tagging/evaluate.py",
    "model_card": "provenance/model_card.py",
    "data_table": "provenance/data_table.py",
    "draw": "figures/draw.py",
    "tabulate": "figures/tables.py",
}


def code(stage: str) -> list[str]:
    """Return the source files that a stage depends on, relative to the root of the repository."""
    return [f"src/cloudchamber/{path}" for path in sources_of(_ENTRIES[stage])]
