"""The study of neutrinos: raw files of interactions in a toy detector, events as clouds of pixels, scores, metrics.

Needs: nothing but its settings; scores need the weights that training.smk makes.
Makes, under {results}/neutrinos: raw/{shard}.root, events.h5, scores.h5 and {metrics,differences,confusion,curves}.csv.
"""

neutrinos = pipeline.studies["neutrinos"]


rule neutrinos_simulate:
    input:
        code=pipeline.code("neutrinos simulate"),
    output:
        "<results>/neutrinos/raw/{shard}.root",
    log:
        "<logs>/neutrinos/simulate/{shard}.log",
    benchmark:
        "<logs>/neutrinos/simulate/{shard}.tsv"
    wildcard_constraints:
        shard=r"\d+",
    conda:
        "../../envs/simulation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=neutrinos.simulation_settings,
        seed=pipeline.seed,
    message:
        "simulate neutrinos, shard {wildcards.shard}"
    shell:
        "exec python -m cloudchamber neutrinos simulate --settings {params.settings:q} --shard {wildcards.shard}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule neutrinos_ingest:
    input:
        sources=neutrinos.plan.raw,
        code=pipeline.code("neutrinos ingest"),
    output:
        neutrinos.plan.events,
    log:
        "<logs>/neutrinos/ingest.log",
    benchmark:
        "<logs>/neutrinos/ingest.tsv"
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=neutrinos.map_settings,
        detector=neutrinos.detector_settings,
        seed=pipeline.seed,
    message:
        "read raw files of neutrinos"
    shell:
        "exec python -m cloudchamber neutrinos ingest {input.sources:q} --settings {params.settings:q}"
        " --detector {params.detector:q} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule neutrinos_classify:
    input:
        events=neutrinos.plan.events,
        models=neutrinos.classified_files,
        code=pipeline.code("neutrinos classify"),
    output:
        neutrinos.plan.scores,
    log:
        "<logs>/neutrinos/classify.log",
    benchmark:
        "<logs>/neutrinos/classify.tsv"
    conda:
        "../../envs/training.yaml"
    threads: neutrinos.threads
    resources:
        mem_mb=growing(neutrinos.plan.memory),
        runtime=growing(120),
    params:
        files=neutrinos.classified,
        display_events=neutrinos.display_events,
    message:
        "name interactions and prongs of the test events"
    shell:
        "exec python -m cloudchamber neutrinos classify {input.events} --files {params.files:q}"
        " --display-events {params.display_events} --threads {threads} --output {output} > {log} 2>&1"


rule neutrinos_evaluate:
    input:
        events=neutrinos.plan.events,
        scores=neutrinos.plan.scores,
        code=pipeline.code("neutrinos evaluate"),
    output:
        **neutrinos.plan.tables,
    log:
        "<logs>/neutrinos/evaluate.log",
    benchmark:
        "<logs>/neutrinos/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(neutrinos.plan.memory),
        runtime=growing(120),
    params:
        files=neutrinos.judged,
        settings=neutrinos.evaluation_settings,
        seed=pipeline.seed,
    message:
        "judge the classifiers of neutrinos"
    shell:
        "exec python -m cloudchamber neutrinos evaluate {input.events} --files {params.files:q}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --metrics {output.metrics}"
        " --differences {output.differences} --confusion {output.confusion} --curves {output.curves} > {log} 2>&1"
