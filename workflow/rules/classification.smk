"""Taggers of the studies that have some: jets of all classes, features, what taggers give and cost.

Needs: {results}/clouds/{dataset}.h5 of the data sets of the classes; the taggers of the study in the configuration.
Makes, under {results}/{study}: jets.h5 with the jets of all classes, high_level.h5 with their high-level features;
models/{tagger}/{size}/seed{seed}/scores.h5, where the size is "all" or the training jets per class, and tagger.onnx for
the first seed; cost.csv; {metrics,confusion,curves,significance}.csv. Weights come from training.smk.
"""

classification = pipeline.plans(ClassificationJobs)


wildcard_constraints:
    tagger=pipeline.any_of(classification.all_of(ClassificationJobs.taggers)),
    size=pipeline.any_of(classification.all_of(ClassificationJobs.sizes)),


rule combine_classes:
    input:
        files=classification.ask(ClassificationJobs.class_files),
        indices=classification.ask(ClassificationJobs.split_files),
        code=pipeline.code("combine-classes"),
    output:
        "<results>/{study}/jets.h5",
    log:
        "<logs>/combine_classes/{study}.log",
    benchmark:
        "<logs>/combine_classes/{study}.tsv"
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=classification.ask(ClassificationJobs.jets_settings),
        seed=pipeline.seed,
        stamp=classification.ask(ClassificationJobs.split_stamp),
    message:
        "combine the jets of all classes"
    shell:
        "exec python -m cloudchamber combine-classes --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule high_level:
    input:
        jets="<results>/{study}/jets.h5",
        code=pipeline.code("high-level"),
    output:
        "<results>/{study}/high_level.h5",
    log:
        "<logs>/high_level/{study}.log",
    benchmark:
        "<logs>/high_level/{study}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=classification.ask(ClassificationJobs.high_level_settings),
    message:
        "high-level features of the jets"
    shell:
        "exec python -m cloudchamber high-level {input.jets} --settings {params.settings:q} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule predict_classes:
    input:
        jets="<results>/{study}/jets.h5",
        features=classification.ask(ClassificationJobs.features),
        weights="<results>/{study}/models/{tagger}/{size}/seed{seed}/weights.safetensors",
        description="<results>/{study}/models/{tagger}/{size}/seed{seed}/model.json",
        code=pipeline.code("predict-classes"),
    output:
        "<results>/{study}/models/{tagger}/{size}/seed{seed}/scores.h5",
    log:
        "<logs>/predict_classes/{study}/{tagger}_{size}_seed{seed}.log",
    benchmark:
        "<logs>/predict_classes/{study}/{tagger}_{size}_seed{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: classification.ask(ClassificationJobs.threads)
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
        gpu=classification.ask(ClassificationJobs.gpus),
    params:
        features=classification.ask(ClassificationJobs.features_option),
    message:
        "predict with {wildcards.tagger}, trained with {wildcards.size} jets, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber predict-classes {input.jets}{params.features}"
        " --model {input.weights} {input.description} --threads {threads} --output {output} > {log} 2>&1"


rule export_tagger:
    input:
        weights="<results>/{study}/models/{tagger}/{size}/seed{seed}/weights.safetensors",
        description="<results>/{study}/models/{tagger}/{size}/seed{seed}/model.json",
        code=pipeline.code("export-tagger"),
    output:
        "<results>/{study}/models/{tagger}/{size}/seed{seed}/tagger.onnx",
    log:
        "<logs>/export_tagger/{study}/{tagger}_{size}_seed{seed}.log",
    benchmark:
        "<logs>/export_tagger/{study}/{tagger}_{size}_seed{seed}.tsv"
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


rule tagger_cost:
    input:
        jets="<results>/{study}/jets.h5",
        features=classification.ask(ClassificationJobs.all_features),
        models=classification.ask(ClassificationJobs.first_trainings),
        code=pipeline.code("tagger-cost"),
    output:
        "<results>/{study}/cost.csv",
    log:
        "<logs>/tagger_cost/{study}.log",
    benchmark:
        "<logs>/tagger_cost/{study}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
        gpu=classification.ask(ClassificationJobs.any_gpu),
    params:
        models=classification.ask(ClassificationJobs.first_trainings_argument),
        settings=classification.ask(ClassificationJobs.cost_settings),
        features=classification.ask(ClassificationJobs.all_features_option),
    message:
        "measure what the taggers cost"
    shell:
        "exec python -m cloudchamber tagger-cost {input.jets}{params.features} --models {params.models:q}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule evaluate_taggers:
    input:
        jets="<results>/{study}/jets.h5",
        files=classification.ask(ClassificationJobs.evaluation_inputs),
        code=pipeline.code("evaluate-taggers"),
    output:
        metrics="<results>/{study}/metrics.csv",
        confusion="<results>/{study}/confusion.csv",
        curves="<results>/{study}/curves.csv",
        significance="<results>/{study}/significance.csv",
    log:
        "<logs>/evaluate_taggers/{study}.log",
    benchmark:
        "<logs>/evaluate_taggers/{study}.tsv"
    wildcard_constraints:
        study=pipeline.any_of(classification.studies),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        files=classification.ask(ClassificationJobs.evaluation_arguments),
        settings=classification.ask(ClassificationJobs.evaluation_settings),
        seed=pipeline.seed,
    message:
        "judge the taggers"
    shell:
        "exec python -m cloudchamber evaluate-taggers {input.jets} --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --metrics {output.metrics} --confusion {output.confusion}"
        " --curves {output.curves} --significance {output.significance} > {log} 2>&1"
