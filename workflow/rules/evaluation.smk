"""Evaluation of the jet-generation study.

Needs: prepared and generated clouds with their observables; jet_generation.metrics and .log_posterior in config.yaml.
Makes: {results}/jet_generation/metrics.csv, from a comparison beside each sample and, under {dataset}/log_posterior,
one log posterior, confusion and history per seed; {dataset}/solver_scan/{model}.csv and {dataset}/sampling_time.csv;
{dataset}/model_cards/{model}.md for each trained model.
"""


rule compare:
    input:
        truth=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        truth_observables=f"{pipeline.layout.results}/prepared/{{dataset}}_observables.h5",
        sample=f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{sample}}.h5",
        sample_observables=f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{sample}}_observables.h5",
        code=code("compare"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{sample}}_comparison.csv",
    log:
        f"{pipeline.layout.logs}/compare/{{dataset}}/{{sample}}.log",
    benchmark:
        f"{pipeline.layout.logs}/compare/{{dataset}}/{{sample}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=pipeline.metric_settings,
        seed=pipeline.seed,
    message:
        "compare {wildcards.sample} with {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber compare --truth {input.truth} --truth-observables {input.truth_observables}"
        " --sample {input.sample} --sample-observables {input.sample_observables} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule log_posterior:
    input:
        truth=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        classes=pipeline.competitor_files,
        code=code("log_posterior"),
    output:
        table=f"{pipeline.layout.results}/jet_generation/{{dataset}}/log_posterior/seed{{seed}}.csv",
        confusion=f"{pipeline.layout.results}/jet_generation/{{dataset}}/log_posterior/seed{{seed}}_confusion.csv",
        history=f"{pipeline.layout.results}/jet_generation/{{dataset}}/log_posterior/seed{{seed}}_history.csv",
    log:
        f"{pipeline.layout.logs}/log_posterior/{{dataset}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/log_posterior/{{dataset}}_seed{{seed}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
        gpu=pipeline.resources.posterior_gpus,
    params:
        classes=pipeline.competitor_arguments,
        settings=pipeline.log_posterior_settings,
        state=f"{pipeline.layout.state}/jet_generation/{{dataset}}/log_posterior/seed{{seed}}",
    message:
        "log posterior on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber log-posterior --truth {input.truth} --classes {params.classes:q}"
        " --settings {params.settings:q} --seed {wildcards.seed} --state {params.state} --threads {threads}"
        " --output {output.table} --confusion {output.confusion} --history {output.history} > {log} 2>&1"


rule solver_scan:
    input:
        truth=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        truth_observables=f"{pipeline.layout.results}/prepared/{{dataset}}_observables.h5",
        jets=pipeline.scanned_jets,
        model=pipeline.scanned_model,
        code=code("solver_scan"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/solver_scan/{{model}}.csv",
    log:
        f"{pipeline.layout.logs}/solver_scan/{{dataset}}_{{model}}.log",
    benchmark:
        f"{pipeline.layout.logs}/solver_scan/{{dataset}}_{{model}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=pipeline.resources.sampling_gpus,
    params:
        settings=pipeline.solver_scan_settings,
        metrics=pipeline.metric_settings,
        seed=pipeline.seed,
    message:
        "scan the solvers of {wildcards.model} on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber solver-scan {input.jets} --model {input.model} --truth {input.truth}"
        " --truth-observables {input.truth_observables} --settings {params.settings:q} --metrics {params.metrics:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule sampling_time:
    input:
        models=pipeline.timed_files,
        code=code("sampling_time"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/sampling_time.csv",
    log:
        f"{pipeline.layout.logs}/sampling_time/{{dataset}}.log",
    benchmark:
        f"{pipeline.layout.logs}/sampling_time/{{dataset}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=pipeline.resources.timing_gpus,
    params:
        models=pipeline.timed_models,
        settings=pipeline.sampling_time_settings,
    message:
        "time the models on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber sampling-time --models {params.models:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule evaluate:
    input:
        files=paths_in(pipeline.evaluation_files()),
        code=code("evaluate"),
    output:
        pipeline.layout.metrics,
    log:
        f"{pipeline.layout.logs}/evaluate/jet_generation.log",
    benchmark:
        f"{pipeline.layout.logs}/evaluate/jet_generation.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        files=as_json(pipeline.evaluation_files()),
    message:
        "gather the metrics of the jet-generation study"
    shell:
        "exec python -m cloudchamber evaluate --study jet_generation --files {params.files:q} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule model_card:
    input:
        files=pipeline.card_inputs,
        code=code("model_card"),
    output:
        report(
            f"{pipeline.layout.results}/jet_generation/{{dataset}}/model_cards/{{model}}.md",
            caption="../report/model_card.rst",
            category="Models",
            labels={"model": "{model}", "data set": "{dataset}"},
        ),
    log:
        f"{pipeline.layout.logs}/model_card/{{dataset}}_{{model}}.log",
    benchmark:
        f"{pipeline.layout.logs}/model_card/{{dataset}}_{{model}}.tsv"
    wildcard_constraints:
        model="[a-z][a-z0-9_]*",
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        files=pipeline.card_arguments,
    message:
        "describe {wildcards.model} on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber model-card --files {params.files:q} --threads {threads}"
        " --output {output} > {log} 2>&1"
