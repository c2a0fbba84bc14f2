"""Named targets.

Makes nothing of its own; asks for what the stages make. The default target is in the Snakefile.
"""


rule raw:
    input:
        pipeline.layout.all_raw(),
    localrule: True


rule jet_generation:
    input:
        pipeline.layout.metrics,
        pipeline.drawings.all_figures(),
        pipeline.drawings.all_tables(),
        pipeline.layout.cards(),
        pipeline.layout.data_table,
    localrule: True


rule tagging:
    input:
        pipeline.tagging_results(),
        pipeline.layout.data_table,
    localrule: True


rule figures:
    input:
        pipeline.drawings.all_figures(),
        pipeline.tagging_drawings.all_figures(),
    localrule: True
