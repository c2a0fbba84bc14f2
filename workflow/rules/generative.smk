"""Generative models of the studies that have some: jets to generate, samples, distances from truth, costs.

Needs: {results}/prepared/{dataset}.h5 with its observables; the models and metrics of the study in the configuration.
Makes, under {results}/{study}/{dataset}: jet_level/seed{seed}/{jets.h5,comparison.csv}, which all models of a seed share;
samples/{model}/{sampler}_seed{seed}.h5, where one file may be shared by several jobs, and a comparison beside each; one
log posterior, confusion and history per seed under log_posterior; teacher_test/{model}/{sampler}.csv of flow maps, with a
history beside each; solver_scan/{model}.csv and sampling_time.csv. Under {results}/{study}: metrics.csv. Weights come from
training.smk.
"""

generation = pipeline.plans(GenerationJobs)


rule draw_jets:
    input:
        data="<results>/prepared/{dataset}.h5",
        model=generation.ask(GenerationJobs.jet_level_model),
        code=pipeline.code("draw-jets"),
    output:
        "<results>/{study}/{dataset}/jet_level/seed{seed}/jets.h5",
    log:
        "<logs>/draw_jets/{study}/{dataset}_seed{seed}.log",
    benchmark:
        "<logs>/draw_jets/{study}/{dataset}_seed{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        jets=generation.ask(GenerationJobs.generated),
    message:
        "draw the jets to generate on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber draw-jets {input.data} --jets {params.jets} --at-most-training-jets"
        " --seed {wildcards.seed} --threads {threads} --output {output} --model {input.model} > {log} 2>&1"


rule compare_jets:
    input:
        truth="<results>/prepared/{dataset}.h5",
        jets="<results>/{study}/{dataset}/jet_level/seed{seed}/jets.h5",
        code=pipeline.code("compare-jets"),
    output:
        "<results>/{study}/{dataset}/jet_level/seed{seed}/comparison.csv",
    log:
        "<logs>/compare_jets/{study}/{dataset}_seed{seed}.log",
    benchmark:
        "<logs>/compare_jets/{study}/{dataset}_seed{seed}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=generation.ask(GenerationJobs.metric_settings),
        seed=pipeline.seed,
    message:
        "compare the drawn jets with {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber compare-jets --truth {input.truth} --jets {input.jets}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule sample:
    input:
        jets="<results>/{study}/{dataset}/jet_level/seed{seed}/jets.h5",
        weights="<results>/{study}/{dataset}/models/{model}/seed{seed}/weights.safetensors",
        description="<results>/{study}/{dataset}/models/{model}/seed{seed}/model.json",
        code=pipeline.code("sample"),
    output:
        "<results>/{study}/{dataset}/samples/{model}/{sampler}_seed{seed}{part}.h5",
    log:
        "<logs>/sample/{study}/{dataset}_{model}_{sampler}_seed{seed}{part}.log",
    benchmark:
        "<logs>/sample/{study}/{dataset}_{model}_{sampler}_seed{seed}{part}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: generation.ask(GenerationJobs.threads)
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=generation.ask(GenerationJobs.sampling_gpus),
    params:
        settings=generation.ask(GenerationJobs.sampler_settings),
        shard=generation.ask(GenerationJobs.sample_part),
    message:
        "sample {wildcards.model} with {wildcards.sampler}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber sample {input.jets} --model {input.weights} {input.description}"
        " --settings {params.settings:q} --seed {wildcards.seed} --shard {params.shard} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule gather_sample:
    input:
        parts=generation.ask(GenerationJobs.sample_parts),
        code=pipeline.code("gather-sample"),
    output:
        "<results>/{study}/{dataset}/samples/{model}/{sampler}_seed{seed}.h5",
    log:
        "<logs>/gather_sample/{study}/{dataset}_{model}_{sampler}_seed{seed}.log",
    benchmark:
        "<logs>/gather_sample/{study}/{dataset}_{model}_{sampler}_seed{seed}.tsv"
    wildcard_constraints:
        study=pipeline.any_of(generation.where(GenerationJobs.in_shards)),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "gather the shards of {wildcards.model} with {wildcards.sampler}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber gather-sample {input.parts} --threads {threads} --output {output} > {log} 2>&1"


rule sample_marginals:
    input:
        data="<results>/prepared/{dataset}.h5",
        jets="<results>/{study}/{dataset}/jet_level/seed{seed}/jets.h5",
        code=pipeline.code("sample-marginals"),
    output:
        "<results>/{study}/{dataset}/samples/{model}/none_seed{seed}.h5",
    log:
        "<logs>/sample/{study}/{dataset}_{model}_none_seed{seed}.log",
    benchmark:
        "<logs>/sample/{study}/{dataset}_{model}_none_seed{seed}.tsv"
    wildcard_constraints:
        model=pipeline.any_of(generation.all_of(GenerationJobs.baselines)),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        momentum_sum=generation.ask(GenerationJobs.momentum_sum),
    message:
        "sample the baseline {wildcards.model}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber sample-marginals {input.data} --jets {input.jets} --seed {wildcards.seed}"
        " --momentum-sum {params.momentum_sum} --threads {threads} --output {output} > {log} 2>&1"


ruleorder: sample_marginals > sample
# A whole sample of several shards is put together; the zero-skill baseline has no sampler.
ruleorder: sample_marginals > gather_sample > sample


rule compare:
    input:
        truth="<results>/prepared/{dataset}.h5",
        truth_observables="<results>/prepared/{dataset}_observables.h5",
        sample="<results>/{study}/{dataset}/samples/{sample}.h5",
        sample_observables="<results>/{study}/{dataset}/samples/{sample}_observables.h5",
        code=pipeline.code("compare"),
    output:
        "<results>/{study}/{dataset}/samples/{sample}_comparison.csv",
    log:
        "<logs>/compare/{study}/{dataset}/{sample}.log",
    benchmark:
        "<logs>/compare/{study}/{dataset}/{sample}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=generation.ask(GenerationJobs.metric_settings),
        seed=pipeline.seed,
    message:
        "compare {wildcards.sample} with {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber compare --truth {input.truth} --truth-observables {input.truth_observables}"
        " --sample {input.sample} --sample-observables {input.sample_observables} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule log_posterior:
    input:
        truth="<results>/prepared/{dataset}.h5",
        classes=generation.ask(GenerationJobs.competitors),
        code=pipeline.code("log-posterior"),
    output:
        table="<results>/{study}/{dataset}/log_posterior/seed{seed}.csv",
        confusion="<results>/{study}/{dataset}/log_posterior/seed{seed}_confusion.csv",
        history="<results>/{study}/{dataset}/log_posterior/seed{seed}_history.csv",
    log:
        "<logs>/log_posterior/{study}/{dataset}_seed{seed}.log",
    benchmark:
        "<logs>/log_posterior/{study}/{dataset}_seed{seed}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: generation.ask(GenerationJobs.threads)
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
        gpu=generation.ask(GenerationJobs.posterior_gpus),
    params:
        classes=generation.ask(GenerationJobs.competitor_arguments),
        settings=generation.ask(GenerationJobs.posterior_settings),
        state=generation.ask(GenerationJobs.posterior_state),
    message:
        "log posterior on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber log-posterior --truth {input.truth} --classes {params.classes:q}"
        " --settings {params.settings:q} --seed {wildcards.seed} --state {params.state} --threads {threads}"
        " --output {output.table} --confusion {output.confusion} --history {output.history} > {log} 2>&1"


rule teacher_test:
    input:
        pair=generation.ask(GenerationJobs.teacher_test_pair),
        code=pipeline.code("teacher-test"),
    output:
        table="<results>/{study}/{dataset}/teacher_test/{model}/{sampler}.csv",
        history="<results>/{study}/{dataset}/teacher_test/{model}/{sampler}_history.csv",
    log:
        "<logs>/teacher_test/{study}/{dataset}_{model}_{sampler}.log",
    benchmark:
        "<logs>/teacher_test/{study}/{dataset}_{model}_{sampler}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: generation.ask(GenerationJobs.threads)
    resources:
        mem_mb=growing(8000),
        runtime=growing(720),
        gpu=generation.ask(GenerationJobs.teacher_test_gpus),
    params:
        settings=generation.ask(GenerationJobs.teacher_test_settings),
        seed=generation.ask(GenerationJobs.teacher_test_seed),
        state=generation.ask(GenerationJobs.teacher_test_state),
    message:
        "test {wildcards.model} with {wildcards.sampler} against its teacher on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber teacher-test --student {input.pair[0]} --teacher {input.pair[1]}"
        " --settings {params.settings:q} --seed {params.seed} --state {params.state} --threads {threads}"
        " --output {output.table} --history {output.history} > {log} 2>&1"


rule solver_scan:
    input:
        truth="<results>/prepared/{dataset}.h5",
        truth_observables="<results>/prepared/{dataset}_observables.h5",
        jets=generation.ask(GenerationJobs.scanned_jets),
        model=generation.ask(GenerationJobs.scanned_model),
        code=pipeline.code("solver-scan"),
    output:
        "<results>/{study}/{dataset}/solver_scan/{model}.csv",
    log:
        "<logs>/solver_scan/{study}/{dataset}_{model}.log",
    benchmark:
        "<logs>/solver_scan/{study}/{dataset}_{model}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: generation.ask(GenerationJobs.threads)
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=generation.ask(GenerationJobs.sampling_gpus),
    params:
        settings=generation.ask(GenerationJobs.scan_settings),
        metrics=generation.ask(GenerationJobs.metric_settings),
        seed=pipeline.seed,
    message:
        "scan the solvers of {wildcards.model} on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber solver-scan {input.jets} --model {input.model} --truth {input.truth}"
        " --truth-observables {input.truth_observables} --settings {params.settings:q} --metrics {params.metrics:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule sampling_time:
    input:
        models=generation.ask(GenerationJobs.timed_files),
        code=pipeline.code("sampling-time"),
    output:
        "<results>/{study}/{dataset}/sampling_time.csv",
    log:
        "<logs>/sampling_time/{study}/{dataset}.log",
    benchmark:
        "<logs>/sampling_time/{study}/{dataset}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: generation.ask(GenerationJobs.threads)
    resources:
        mem_mb=growing(4000),
        runtime=growing(120),
        gpu=generation.ask(GenerationJobs.timing_gpus),
    params:
        models=generation.ask(GenerationJobs.timed_models),
        settings=generation.ask(GenerationJobs.timing_settings),
    message:
        "time the models on {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber sampling-time --models {params.models:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule evaluate:
    input:
        files=generation.ask(GenerationJobs.evaluation_inputs),
        code=pipeline.code("evaluate"),
    output:
        "<results>/{study}/metrics.csv",
    log:
        "<logs>/evaluate/{study}.log",
    benchmark:
        "<logs>/evaluate/{study}.tsv"
    wildcard_constraints:
        study=pipeline.any_of(generation.studies),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        files=generation.ask(GenerationJobs.evaluation_arguments),
    message:
        "gather the metrics of the study {wildcards.study}"
    shell:
        "exec python -m cloudchamber evaluate --study {wildcards.study} --files {params.files:q} --threads {threads}"
        " --output {output} > {log} 2>&1"
