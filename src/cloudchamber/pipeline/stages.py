"""The stages that studies share: the function behind each command, which is also what its rule depends on.

A study names its own stages in the same form (:class:`cloudchamber.pipeline.study.Study`).
"""

from collections.abc import Mapping

from cloudchamber.entry_points import module_file
from cloudchamber.sources import sources_of

__all__ = ["SHARED_STAGES", "code_of"]

SHARED_STAGES: Mapping[str, str] = {
    # Clouds.
    "simulate": "simulation.simulate:simulate",
    "detect": "simulation.detect_events:detect_events",
    "download": "download:download_by_name",
    "ingest": "preparation.ingestion:ingest",
    "ingest-group": "preparation.groups:ingest_group",
    "join-groups": "preparation.groups:join_groups",
    "read-jets": "preparation.labelled_jets:read_labelled_jets",
    "from-jetnet": "readers.jetnet:convert_from_jetnet",
    "to-jetnet": "readers.jetnet:convert_to_jetnet",
    "prepare": "preparation.prepare:prepare",
    "observe": "jets.observe:observe_file",
    "delphes-counts": "data_checks.delphes_counts:count_jets",
    # Generative models.
    "train": "generative.train:train",
    "train-flow-map": "generative.train_flow_map:train_flow_map",
    "train-jet-flow": "generative.train_jet_flow:train_jet_flow",
    "draw-jets": "generative.draw_jets:draw_jets",
    "compare-jets": "generative.compare_jets:compare_jet_features",
    "sample": "generative.sample:sample_model",
    "gather-sample": "generative.shards:gather_sample",
    "sample-marginals": "generative.sample:sample_marginals",
    "solver-scan": "generative.solver_scan:solver_scan",
    "sampling-time": "generative.sampling_time:sampling_time",
    "compare": "metrics.compare:compare_files",
    "log-posterior": "metrics.posterior_step:log_posterior",
    "teacher-test": "metrics.teacher_test:teacher_test",
    "evaluate": "generative.gather:gather",
    # Taggers.
    "combine-classes": "classification.jets:combine_classes",
    "high-level": "classification.high_level:high_level",
    "train-tagger": "classification.train:train_tagger",
    "predict-classes": "classification.predict:predict_classes",
    "tagger-cost": "classification.cost:measure_cost",
    "export-tagger": "classification.export:export_tagger",
    "evaluate-taggers": "classification.evaluate:evaluate",
    # What is shown, and files themselves.
    "draw": "figures.draw:draw",
    "tabulate": "figures.tabulate:tabulate",
    "model-card": "provenance.model_card:model_card",
    "summarise": "summary.summarise:summarise",
    "data-table": "provenance.data_table:data_table",
    "init": "project:init_project",
    "inspect": "provenance.inspection:inspect",
    "verify": "provenance.verification:verify",
    "publish": "publishing.publish:publish",
}


def code_of(*entries: str) -> list[str]:
    """Return the source files that entries depend on, relative to the root of the repository."""
    return sorted({f"src/cloudchamber/{path}" for entry in entries for path in sources_of(module_file(entry))})
