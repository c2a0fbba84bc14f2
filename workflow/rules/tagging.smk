"""The tagging study.

Needs: {results}/clouds/{dataset}.h5 of the data sets of its classes; tagging in config.yaml.
Makes, under {results}/tagging: jets.h5 with the jets of all classes, high_level.h5 with their high-level features;
models/{tagger}/{amount}/seed{seed}/{weights.safetensors,model.json,history.csv,scores.h5}, where the amount is "all" or
the training jets per class, and tagger.onnx for the first seed; cost.csv, relevance.h5; {metrics,confusion,curves,
significance}.csv. The resumable states lie in state/{results}/tagging.
"""

tagging = pipeline.tagging
tagger_folder = f"{tagging.folder}/models/{{tagger}}/{{amount}}/seed{{seed}}"


wildcard_constraints:
    tagger=pipeline.any_of(tagging.models()),
    amount=pipeline.any_of(tagging.amounts()),


rule tagging_jets:
    input:
        files=tagging.class_files,
        indices=tagging.split_files,
        code=code("tagging_jets"),
    output:
        tagging.jets,
    log:
        f"{pipeline.layout.logs}/tagging/jets.log",
    benchmark:
        f"{pipeline.layout.logs}/tagging/jets.tsv"
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=tagging.jets_settings,
        seed=pipeline.seed,
    message:
        "combine the jets of all classes"
    shell:
        "exec python -m cloudchamber tagging-jets --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule high_level:
    input:
        jets=tagging.jets,
        code=code("high_level"),
    output:
        tagging.high_level,
    log:
        f"{pipeline.layout.logs}/tagging/high_level.log",
    benchmark:
        f"{pipeline.layout.logs}/tagging/high_level.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=tagging.high_level_settings,
    message:
        "high-level features of the jets"
    shell:
        "exec python -m cloudchamber high-level {input.jets} --settings {params.settings:q} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule train_tagger:
    input:
        jets=tagging.jets,
        features=tagging.features,
        code=code("train_tagger"),
    output:
        weights=f"{tagger_folder}/weights.safetensors",
        description=f"{tagger_folder}/model.json",
        history=f"{tagger_folder}/history.csv",
    log:
        f"{pipeline.layout.logs}/train_tagger/{{tagger}}_{{amount}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/train_tagger/{{tagger}}_{{amount}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: tagging.threads
    resources:
        mem_mb=growing(6000),
        runtime=growing(720),
        gpu=tagging.gpus,
    params:
        settings=tagging.tagger_settings,
        features=lambda wildcards, input: f" --high-level {input.features}" if input.features else "",
        amount=tagging.amount_options,
        state=f"{pipeline.layout.state}/tagging/{{tagger}}/{{amount}}/seed{{seed}}",
    message:
        "train the tagger {wildcards.tagger} with {wildcards.amount} jets, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber train-tagger {input.jets}{params.features}{params.amount}"
        " --settings {params.settings:q} --seed {wildcards.seed} --state {params.state} --threads {threads}"
        " --weights {output.weights} --description {output.description} --history {output.history} > {log} 2>&1"


rule predict_classes:
    input:
        jets=tagging.jets,
        features=tagging.features,
        weights=f"{tagger_folder}/weights.safetensors",
        description=f"{tagger_folder}/model.json",
        code=code("predict_classes"),
    output:
        f"{tagger_folder}/scores.h5",
    log:
        f"{pipeline.layout.logs}/predict_classes/{{tagger}}_{{amount}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/predict_classes/{{tagger}}_{{amount}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: tagging.threads
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
        gpu=tagging.gpus,
    params:
        features=lambda wildcards, input: f" --high-level {input.features}" if input.features else "",
    message:
        "predict with {wildcards.tagger}, trained with {wildcards.amount} jets, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber predict-classes {input.jets}{params.features}"
        " --model {input.weights} {input.description} --threads {threads} --output {output} > {log} 2>&1"


rule export_tagger:
    input:
        weights=f"{tagger_folder}/weights.safetensors",
        description=f"{tagger_folder}/model.json",
        code=code("export_tagger"),
    output:
        f"{tagger_folder}/tagger.onnx",
    log:
        f"{pipeline.layout.logs}/export_tagger/{{tagger}}_{{amount}}_seed{{seed}}.log",
    benchmark:
        f"{pipeline.layout.logs}/export_tagger/{{tagger}}_{{amount}}_seed{{seed}}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "write {wildcards.tagger}, seed {wildcards.seed}, as ONNX"
    shell:
        "exec python -m cloudchamber export-tagger --model {input.weights} {input.description}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule tagging_cost:
    input:
        jets=tagging.jets,
        features=tagging.all_features,
        models=tagging.trained,
        code=code("tagging_cost"),
    output:
        tagging.cost,
    log:
        f"{pipeline.layout.logs}/tagging/cost.log",
    benchmark:
        f"{pipeline.layout.logs}/tagging/cost.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
        gpu=tagging.any_gpu,
    params:
        models=tagging.trained_arguments,
        settings=tagging.cost_settings,
        features=lambda wildcards, input: f" --high-level {input.features}" if input.features else "",
    message:
        "measure what the taggers cost"
    shell:
        "exec python -m cloudchamber tagging-cost {input.jets}{params.features} --models {params.models:q}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule tower_relevance:
    input:
        jets=tagging.jets,
        model=tagging.attentive_files,
        code=code("tower_relevance"),
    output:
        tagging.relevance,
    log:
        f"{pipeline.layout.logs}/tagging/relevance.log",
    benchmark:
        f"{pipeline.layout.logs}/tagging/relevance.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    message:
        "see which towers the transformer heeds"
    shell:
        "exec python -m cloudchamber tower-relevance {input.jets} --model {input.model} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule evaluate_tagging:
    input:
        jets=tagging.jets,
        files=tagging.evaluation_inputs,
        code=code("evaluate_tagging"),
    output:
        **tagging.tables,
    log:
        f"{pipeline.layout.logs}/tagging/evaluate.log",
    benchmark:
        f"{pipeline.layout.logs}/tagging/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        files=tagging.evaluation_arguments,
        settings=tagging.evaluation_settings,
        seed=pipeline.seed,
    message:
        "judge the taggers"
    shell:
        "exec python -m cloudchamber evaluate-tagging {input.jets} --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --metrics {output.metrics} --confusion {output.confusion}"
        " --curves {output.curves} --significance {output.significance} > {log} 2>&1"
