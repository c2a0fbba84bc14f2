"""The jet level of the jet-generation study: multiplicity, pT, eta and mass of the jets that models are asked for.

Needs: {results}/prepared/{dataset}.h5; jet_generation.jet_level in config.yaml.
Makes, under {results}/jet_generation/{dataset}/jet_level/seed{seed}: jets.h5, drawn from the training jets or from a
flow; for a flow also weights.safetensors, model.json, history.csv and comparison.csv. All models of a seed share them.
"""


rule train_jet_flow:
    input:
        data=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        code=code("train_jet_flow"),
    output:
        weights=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/weights.safetensors",
        description=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/model.json",
        history=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/history.csv",
    log:
        f"{pipeline.layout.logs}/train_jet_flow/{{dataset}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/train_jet_flow/{{dataset}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: pipeline.study.threads
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
        gpu=pipeline.resources.jet_level_gpus,
    params:
        settings=pipeline.jet_level_settings,
        state=f"{pipeline.layout.state}/jet_generation/{{dataset}}/jet_level/seed{{seed}}",
    message:
        "train the jet-level flow on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber train-jet-flow {input.data} --settings {params.settings:q} --seed {wildcards.seed}"
        " --state {params.state} --threads {threads} --weights {output.weights} --description {output.description}"
        " --history {output.history} > {log} 2>&1"


rule draw_jets:
    input:
        data=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        model=pipeline.jet_level_model,
        code=code("draw_jets"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/jets.h5",
    log:
        f"{pipeline.layout.logs}/draw_jets/{{dataset}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/draw_jets/{{dataset}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        jets=pipeline.study.generated,
    message:
        "draw the jets to generate on {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber draw-jets {input.data} --jets {params.jets} --seed {wildcards.seed}"
        " --threads {threads} --output {output} --model {input.model} > {log} 2>&1"


rule compare_jets:
    input:
        truth=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        jets=f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/jets.h5",
        code=code("compare_jets"),
    output:
        f"{pipeline.layout.results}/jet_generation/{{dataset}}/jet_level/seed{{seed}}/comparison.csv",
    log:
        f"{pipeline.layout.logs}/compare_jets/{{dataset}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/compare_jets/{{dataset}}_seed{{seed}}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=pipeline.metric_settings,
        seed=pipeline.seed,
    message:
        "compare the drawn jets with {wildcards.dataset}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber compare-jets --truth {input.truth} --jets {input.jets}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"
