"""The study of active matter: simulations, measurements of scores, tables.

Needs: nothing but its settings; the trainings of its scores are in training.smk.
Makes: {results}/active_matter/ensembles/{ensemble}.h5, snapshots of a simulation;
{results}/active_matter/models/{model}/{quantities.csv,fields.h5}, what all trainings of a model give together;
{results}/active_matter/{metrics,denoising,phases}.csv. The saved states of simulations lie in
state/{results}/active_matter/ensembles, which no rule declares: Snakemake deletes what is declared before each try.
"""

active_matter = pipeline.studies["active_matter"]


rule active_matter_simulate:
    input:
        code=pipeline.code("active_matter simulate"),
    output:
        active_matter.plan.snapshots("{ensemble}"),
    log:
        "<logs>/active_matter/ensembles/{ensemble}.log",
    benchmark:
        "<logs>/active_matter/ensembles/{ensemble}.tsv"
    wildcard_constraints:
        ensemble=pipeline.any_of(active_matter.plan.settings.ensembles),
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(720),
    params:
        settings=active_matter.ensemble_settings,
        seed=pipeline.seed,
        state=f"{pipeline.paths.state}/active_matter/ensembles",
    message:
        "simulate {wildcards.ensemble}"
    shell:
        "exec python -m cloudchamber active_matter simulate --settings {params.settings:q} --seed {params.seed}"
        " --state {params.state} --threads {threads} --output {output} > {log} 2>&1"


rule active_matter_measure:
    input:
        files=active_matter.measured_files,
        code=pipeline.code("active_matter measure"),
    output:
        quantities=active_matter.plan.quantities("{model}"),
        fields=active_matter.plan.fields("{model}"),
    log:
        "<logs>/active_matter/measure/{model}.log",
    benchmark:
        "<logs>/active_matter/measure/{model}.tsv"
    wildcard_constraints:
        model=pipeline.any_of(active_matter.plan.settings.models),
    conda:
        "../../envs/training.yaml"
    threads: active_matter.plan.settings.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        settings=active_matter.measurement_settings(),
        files=active_matter.measured,
        seed=pipeline.seed,
    message:
        "measure the score {wildcards.model}"
    shell:
        "exec python -m cloudchamber active_matter measure --settings {params.settings:q} --files {params.files:q}"
        " --seed {params.seed} --threads {threads} --quantities {output.quantities} --fields {output.fields}"
        " > {log} 2>&1"


rule active_matter_evaluate:
    input:
        files=active_matter.gathered_files(),
        code=pipeline.code("active_matter evaluate"),
    output:
        metrics=active_matter.plan.metrics,
        denoising=active_matter.plan.denoising,
        phases=active_matter.plan.phases,
    log:
        "<logs>/active_matter/evaluate.log",
    benchmark:
        "<logs>/active_matter/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        settings=active_matter.settings_argument,
        files=active_matter.gathered(),
        seed=pipeline.seed,
    message:
        "gather the numbers of active matter"
    shell:
        "exec python -m cloudchamber active_matter evaluate --settings {params.settings:q} --files {params.files:q}"
        " --seed {params.seed} --threads {threads} --metrics {output.metrics} --denoising {output.denoising}"
        " --phases {output.phases} > {log} 2>&1"
