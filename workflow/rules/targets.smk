"""Named targets: one for each study, and what all of them are made from or end in.

Makes nothing of its own; asks for what the stages make. The default target is in the Snakefile; it also asks for the
table of data, which names every raw file and so needs those of all studies.
"""

for study in pipeline.studies.values():

    rule:
        name:
            study.name
        input:
            pipeline.results(study),
        localrule: True


rule raw:
    input:
        pipeline.sources.all_raw(),
    localrule: True


rule figures:
    input:
        pipeline.all_figures(),
    localrule: True
