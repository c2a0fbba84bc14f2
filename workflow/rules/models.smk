"""Training and sampling of the generative models of the jet-generation study.

Needs: {results}/prepared/{dataset}.h5, the jets to draw from jet_level.smk; jet_generation.models in config.yaml.
Makes, under {results}/jet_generation/{dataset}:
models/{model}/seed{seed}/{weights.safetensors,model.json,history.csv} and samples/{model}/{sampler}_seed{seed}.h5.
The resumable state lies in state/{results}, which no rule declares: Snakemake deletes what is declared before each try.
"""


rule train:
    input:
        data=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        code=code("train"),
    output:
        weights=f"{pipeline.layout.results}/jet_generation/{{dataset}}/models/{{model}}/seed{{seed}}/weights.safetensors",
        description=f"{pipeline.layout.results}/jet_generation/{{dataset}}/models/{{model}}/seed{{seed}}/model.json",
        history=f"{pipeline.layout.results}/jet_generation/{{dataset}}/models/{{model}}/seed{{seed}}/history.csv",
    log:
        f"{pipeline.layout.logs}/train/{{dataset}}_{{model}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/train/{{dataset}}_{{model}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(720),
        gpu=pipeline.resources.training_gpus,
        cpus_per_task=pipeline.resources.training_cpus,
        nodes=pipeline.resources.training_nodes,
        mpi=pipeline.resources.training_mpi,
        tasks=pipeline.resources.training_tasks,
        tasks_per_gpu=0,
    params:
        launcher=pipeline.resources.launcher,
        settings=pipeline.model_settings,
        state=f"{pipeline.layout.state}/jet_generation/{{dataset}}/{{model}}/seed{{seed}}",
    message:
        "train {wildcards.model} on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec {params.launcher}python -m cloudchamber train {input.data} --settings {params.settings:q}"
        " --seed {wildcards.seed} --state {params.state} --threads {threads} --weights {output.weights}"
        " --description {output.description} --history {output.history} > {log} 2>&1"


rule sample:
    input:
        jets=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/jets.h5",
        weights=f"{pipeline.layout.results}/jet_generation/{{dataset}}/models/{{model}}/seed{{seed}}/weights.safetensors",
        description=f"{pipeline.layout.results}/jet_generation/{{dataset}}/models/{{model}}/seed{{seed}}/model.json",
        code=code("sample"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{model}}/{{sampler}}_seed{{seed}}{pipeline.sample_suffix}.h5",
    log:
        f"{pipeline.layout.logs}/sample/{{dataset}}_{{model}}_{{sampler}}_seed{{seed}}{pipeline.sample_suffix}.log",
    benchmark:
        f"{pipeline.layout.logs}/sample/{{dataset}}_{{model}}_{{sampler}}_seed{{seed}}{pipeline.sample_suffix}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
        gpu=pipeline.resources.sampling_gpus,
    params:
        settings=pipeline.sampler_settings,
        shard=pipeline.shard,
    message:
        "sample {wildcards.model} with {wildcards.sampler}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber sample {input.jets} --model {input.weights} {input.description}"
        " --settings {params.settings:q} --seed {wildcards.seed} --shard {params.shard} --threads {threads}"
        " --output {output} > {log} 2>&1"


if pipeline.study.sampling_shards > 1:

    rule gather_sample:
        input:
            parts=gather.sampling(
                f"{pipeline.layout.results}/jet_generation/{{{{dataset}}}}/samples/{{{{model}}}}/"
                "{{sampler}}_seed{{seed}}_{scatteritem}.h5"
            ),
            code=code("gather_sample"),
        output:
            f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{model}}/{{sampler}}_seed{{seed}}.h5",
        log:
            f"{pipeline.layout.logs}/gather_sample/{{dataset}}_{{model}}_{{sampler}}_seed{{seed}}.log",
        benchmark:
            f"{pipeline.layout.logs}/gather_sample/{{dataset}}_{{model}}_{{sampler}}_seed{{seed}}.tsv"
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

    ruleorder: sample_marginals > gather_sample


rule sample_marginals:
    input:
        data=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        jets=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/jets.h5",
        code=code("sample"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/samples/{{model}}/none_seed{{seed}}.h5",
    log:
        f"{pipeline.layout.logs}/sample/{{dataset}}_{{model}}_none_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/sample/{{dataset}}_{{model}}_none_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "sample the baseline {wildcards.model}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber sample-marginals {input.data} --jets {input.jets} --seed {wildcards.seed}"
        " --threads {threads} --output {output} > {log} 2>&1"


ruleorder: sample_marginals > sample
