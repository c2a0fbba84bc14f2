"""The gating study: exact counts of Boolean functions, identities of attention.

Needs: nothing but its settings.
Makes: {results}/gating/{counts,metrics,identities}.csv. The optional target gating_five_inputs counts the functions of
five inputs anew and compares them with the stored constants: {results}/gating/five_inputs.csv.
"""

gating = pipeline.studies["gating"]


rule gating_count:
    input:
        code=pipeline.code("gating count"),
    output:
        counts=gating.counts,
        metrics=gating.metrics,
    log:
        "<logs>/gating/count.log",
    benchmark:
        "<logs>/gating/count.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        settings=gating.settings_argument,
    message:
        "count the functions of gates"
    shell:
        "exec python -m cloudchamber gating count --settings {params.settings:q} --threads {threads}"
        " --counts {output.counts} --metrics {output.metrics} > {log} 2>&1"


rule gating_identities:
    input:
        code=pipeline.code("gating check-identities"),
    output:
        gating.identities,
    log:
        "<logs>/gating/identities.log",
    benchmark:
        "<logs>/gating/identities.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(10),
    params:
        settings=gating.settings_argument,
        seed=pipeline.seed,
    message:
        "evaluate identities of attention"
    shell:
        "exec python -m cloudchamber gating check-identities --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule gating_five_inputs:
    input:
        code=pipeline.code("gating count-five-inputs"),
    output:
        gating.five_inputs,
    log:
        "<logs>/gating/five_inputs.log",
    benchmark:
        "<logs>/gating/five_inputs.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    message:
        "count the functions of five inputs"
    shell:
        "exec python -m cloudchamber gating count-five-inputs --threads {threads} --output {output} > {log} 2>&1"
