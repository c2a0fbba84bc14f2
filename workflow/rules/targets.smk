"""Named targets.

Makes nothing of its own; asks for what the stages make. The default target is in the Snakefile; it also asks for the
table of data, which names every raw file and so needs those of all studies.
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
    localrule: True


rule tagging:
    input:
        pipeline.tagging_results(),
    localrule: True


rule figures:
    input:
        pipeline.drawings.all_figures(),
        pipeline.tagging_drawings.all_figures(),
    localrule: True
