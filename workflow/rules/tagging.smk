"""The tagging study's own: which towers a tagger looks at.

Needs: {results}/tagging/jets.h5 and a trained tagger with attention.
Makes: {results}/tagging/relevance.h5.
"""

tagging = pipeline.studies["tagging"]


rule tagging_relevance:
    input:
        jets=tagging.jets,
        model=tagging.attentive_files,
        code=pipeline.code("tagging relevance"),
    output:
        tagging.relevance,
    log:
        "<logs>/tagging/relevance.log",
    benchmark:
        "<logs>/tagging/relevance.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "see which towers the transformer looks at"
    shell:
        "exec python -m cloudchamber tagging relevance {input.jets} --model {input.model} --threads {threads}"
        " --output {output} > {log} 2>&1"
