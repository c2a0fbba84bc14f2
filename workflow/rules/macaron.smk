"""The macaron study: orders of splitting schemes, arms on the same jets, networks with one F and one G.

Needs: {results}/clouds/{dataset}.h5 of the data sets of the classes. Jets of all classes, scores and costs come from
classification.smk, weights from training.smk.
Makes: {results}/macaron/splitting/{errors,orders,paths}.csv, refinement.csv where the settings ask for it,
metrics.csv and differences.csv.
"""

macaron = pipeline.studies["macaron"]


# The rule of all taggers would make metrics of the same name, without the comparison.
ruleorder: macaron_evaluate > evaluate_taggers


rule macaron_split:
    input:
        code=pipeline.code("macaron split"),
    output:
        **macaron.plan.splitting,
    log:
        "<logs>/macaron/split.log",
    benchmark:
        "<logs>/macaron/split.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(30),
    params:
        settings=macaron.splitting_settings,
        seed=pipeline.seed,
    message:
        "measure the order of splitting schemes"
    shell:
        "exec python -m cloudchamber macaron split --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --errors {output.errors} --orders {output.orders} --paths {output.paths} > {log} 2>&1"


if macaron.plan.settings.refinement is not None:

    rule macaron_refine:
        input:
            jets=macaron.plan.taggers.jets,
            files=macaron.refined_files(),
            code=pipeline.code("macaron refine"),
        output:
            macaron.plan.refinement,
        log:
            "<logs>/macaron/refine.log",
        benchmark:
            "<logs>/macaron/refine.tsv"
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=growing(4000),
            runtime=growing(60),
        params:
            files=macaron.refined(),
            settings=macaron.refinement_settings(),
        message:
            "evaluate networks at more steps"
        shell:
            "exec python -m cloudchamber macaron refine {input.jets} --files {params.files:q}"
            " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule macaron_evaluate:
    input:
        jets=macaron.plan.taggers.jets,
        files=macaron.evaluated_files(),
        code=pipeline.code("macaron evaluate"),
    output:
        metrics=macaron.plan.metrics,
        differences=macaron.plan.differences,
    log:
        "<logs>/macaron/evaluate.log",
    benchmark:
        "<logs>/macaron/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        files=macaron.evaluated(),
        settings=macaron.measurement_settings,
        seed=pipeline.seed,
    message:
        "compare the arms"
    shell:
        "exec python -m cloudchamber macaron evaluate {input.jets} --files {params.files:q}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --metrics {output.metrics}"
        " --differences {output.differences} > {log} 2>&1"
