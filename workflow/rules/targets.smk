"""Named targets.

Makes nothing of its own; asks for what the stages make. The default target is in the Snakefile.
"""


rule raw:
    input:
        pipeline.all_raw(),
    localrule: True


rule jet_generation:
    input:
        pipeline.metrics,
        pipeline.all_figures(),
        pipeline.all_tables(),
    localrule: True


rule figures:
    input:
        pipeline.all_figures(),
    localrule: True
