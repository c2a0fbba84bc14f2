"""The assignment study: jets of partons in all-hadronic top pairs, by networks and by chi-square.

Needs: {results}/clouds/{dataset}.h5 of its data sets of events of jets; the file of published events, where the settings
or the environment name it.
Makes, under {results}/assignment: {sample}/events.h5 in the layout of SPANet and {sample}/assignments.h5, where the sample
is own, published or background; times.csv; {metrics,significance,masses,calibration}.csv; where the settings ask for it
models/{model}/network.onnx. Weights come from training.smk.
"""

assignment = pipeline.studies["assignment"]


rule assignment_collect:
    input:
        source=assignment.source,
        code=pipeline.code("assignment collect"),
    output:
        "<results>/assignment/{sample}/events.h5",
    log:
        "<logs>/assignment/collect/{sample}.log",
    benchmark:
        "<logs>/assignment/collect/{sample}.tsv"
    wildcard_constraints:
        sample=pipeline.any_of(assignment.plan.collected),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=assignment.part_settings,
        needed=assignment.events_needed,
        seed=pipeline.seed,
        stamp=assignment.source_stamp,
    message:
        "collect {wildcards.sample} events"
    shell:
        "exec python -m cloudchamber assignment collect {input.source:q} --settings {params.settings:q} {params.needed}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule assignment_assign:
    input:
        events="<results>/assignment/{sample}/events.h5",
        models=assignment.assigned_files,
        code=pipeline.code("assignment assign"),
    output:
        "<results>/assignment/{sample}/assignments.h5",
    log:
        "<logs>/assignment/assign/{sample}.log",
    benchmark:
        "<logs>/assignment/assign/{sample}.tsv"
    wildcard_constraints:
        sample=pipeline.any_of(assignment.plan.collected),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
    params:
        files=assignment.assigned,
        settings=assignment.chi_square_settings,
        attention=assignment.attention_events,
    message:
        "assign the jets of {wildcards.sample} events"
    shell:
        "exec python -m cloudchamber assignment assign {input.events} --files {params.files:q}"
        " --settings {params.settings:q} --attention-events {params.attention} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule assignment_cost:
    input:
        events=assignment.plan.events("own"),
        models=assignment.cost_files,
        code=pipeline.code("assignment measure-cost"),
    output:
        assignment.plan.cost,
    log:
        "<logs>/assignment/cost.log",
    benchmark:
        "<logs>/assignment/cost.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        files=assignment.cost_argument,
        settings=assignment.cost_settings,
    message:
        "measure the time of an event"
    shell:
        "exec python -m cloudchamber assignment measure-cost {input.events} --files {params.files:q}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule assignment_evaluate:
    input:
        files=assignment.judged_files,
        code=pipeline.code("assignment evaluate"),
    output:
        **assignment.plan.tables,
    log:
        "<logs>/assignment/evaluate.log",
    benchmark:
        "<logs>/assignment/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        files=assignment.judged,
        settings=assignment.evaluation_settings,
        seed=pipeline.seed,
    message:
        "judge all assignments"
    shell:
        "exec python -m cloudchamber assignment evaluate --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --metrics {output.metrics} --significance {output.significance}"
        " --masses {output.masses} --calibration {output.calibration} > {log} 2>&1"


rule assignment_export:
    input:
        model=assignment.exported,
        code=pipeline.code("assignment export"),
    output:
        "<results>/assignment/models/{model}/network.onnx",
    log:
        "<logs>/assignment/export/{model}.log",
    benchmark:
        "<logs>/assignment/export/{model}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "write {wildcards.model} as ONNX"
    shell:
        "exec python -m cloudchamber assignment export --model {input.model} --threads {threads}"
        " --output {output} > {log} 2>&1"
