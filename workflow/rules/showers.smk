"""The study of showers: raw files in the layout of EDM4hep, showers as packed clouds, samples of all models, metrics.

Needs: nothing but its settings, or files of showers that they name; the extra "geant4" where Geant4 simulates them;
samples need the weights that training.smk makes.
Makes, under {results}/showers: raw/{shard}.root where showers are simulated, by Geant4 with raw/{shard}_times.csv and
from geant4_tables.json where official data are not there; showers.h5,
models/{model}/seed{seed}/{sampler}.h5, judgements.csv, {metrics,profiles,spectra}.csv and, where the settings ask for it,
times.csv. The states of the classifiers lie in state/{results}/showers/judge.
"""

showers = pipeline.studies["showers"]


if showers.simulated_by == "parametrised":

    rule showers_simulate:
        input:
            code=pipeline.code("showers simulate"),
        output:
            "<results>/showers/raw/{shard}.root",
        log:
            "<logs>/showers/simulate/{shard}.log",
        benchmark:
            "<logs>/showers/simulate/{shard}.tsv"
        wildcard_constraints:
            shard=r"\d+",
        conda:
            "../../envs/simulation.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(60),
        params:
            settings=showers.source_settings,
            geometry=showers.geometry,
            seed=pipeline.seed,
        message:
            "simulate showers, shard {wildcards.shard}"
        shell:
            "exec python -m cloudchamber showers simulate --settings {params.settings:q} --geometry {params.geometry}"
            " --shard {wildcards.shard} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


if showers.simulated_by == "geant4":

    rule showers_geant4_tables:
        input:
            code=pipeline.code("showers geant4-tables"),
        output:
            showers.plan.tables_of_geant4,
        log:
            "<logs>/showers/geant4_tables.log",
        benchmark:
            "<logs>/showers/geant4_tables.tsv"
        conda:
            "../../envs/geant4.yaml"
        threads: 1
        resources:
            mem_mb=growing(1000),
            runtime=growing(10),
        params:
            geometry=showers.geometry,
        message:
            "make substitute tables for Geant4"
        shell:
            "exec python -m cloudchamber showers geant4-tables --geometry {params.geometry} --threads {threads}"
            " --output {output} > {log} 2>&1"

    rule showers_simulate_geant4:
        input:
            tables=showers.substitute_tables,
            code=pipeline.code("showers simulate-geant4"),
        output:
            showers="<results>/showers/raw/{shard}.root",
            times="<results>/showers/raw/{shard}_times.csv",
        log:
            "<logs>/showers/simulate/{shard}.log",
        benchmark:
            "<logs>/showers/simulate/{shard}.tsv"
        wildcard_constraints:
            shard=r"\d+",
        conda:
            "../../envs/geant4.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(240),
        params:
            tables="".join(f" --tables {path}" for path in showers.substitute_tables),
            settings=showers.source_settings,
            geometry=showers.geometry,
            seed=pipeline.seed,
        message:
            "simulate showers by Geant4, shard {wildcards.shard}"
        shell:
            "exec python -m cloudchamber showers simulate-geant4 --settings {params.settings:q}"
            " --geometry {params.geometry}{params.tables} --shard {wildcards.shard} --seed {params.seed}"
            " --threads {threads} --output {output.showers} --times {output.times} > {log} 2>&1"


if showers.plan.raw():

    rule showers_ingest:
        input:
            sources=showers.plan.raw(),
            code=pipeline.code("showers ingest"),
        output:
            showers.plan.showers,
        log:
            "<logs>/showers/ingest.log",
        benchmark:
            "<logs>/showers/ingest.tsv"
        conda:
            "../../envs/ingestion.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(120),
        params:
            settings=showers.ingestion_settings,
            geometry=showers.geometry,
            fewest=showers.fewest,
            seed=pipeline.seed,
            stamp=showers.source_stamp,
        message:
            "read raw files of showers"
        shell:
            "exec python -m cloudchamber showers ingest {input.sources:q} --settings {params.settings:q}"
            " --geometry {params.geometry} --fewest {params.fewest} --seed {params.seed} --threads {threads}"
            " --output {output} > {log} 2>&1"

else:

    rule showers_read:
        input:
            sources=showers.plan.files_of_others(),
            code=pipeline.code("showers read"),
        output:
            showers.plan.showers,
        log:
            "<logs>/showers/read.log",
        benchmark:
            "<logs>/showers/read.tsv"
        conda:
            "../../envs/ingestion.yaml"
        threads: 1
        resources:
            mem_mb=growing(4000),
            runtime=growing(240),
        params:
            source=showers.source_settings,
            settings=showers.ingestion_settings,
            geometry=showers.geometry,
            fewest=showers.fewest,
            seed=pipeline.seed,
            stamp=showers.source_stamp,
        message:
            "read files of showers"
        shell:
            "exec python -m cloudchamber showers read {input.sources:q} --source {params.source:q}"
            " --settings {params.settings:q} --geometry {params.geometry} --fewest {params.fewest} --seed {params.seed}"
            " --threads {threads} --output {output} > {log} 2>&1"


rule showers_sample:
    input:
        showers=showers.plan.showers,
        models=showers.sampled_files,
        code=pipeline.code("showers sample"),
    output:
        "<results>/showers/models/{model}/seed{seed}/{sampler}.h5",
    log:
        "<logs>/showers/sample/{model}_seed{seed}_{sampler}.log",
    benchmark:
        "<logs>/showers/sample/{model}_seed{seed}_{sampler}.tsv"
    wildcard_constraints:
        model=pipeline.any_of(showers.plan.trained_models()),
        sampler=pipeline.any_of(showers.samplers),
        seed=r"\d+",
    conda:
        "../../envs/training.yaml"
    threads: showers.threads
    resources:
        mem_mb=growing(4000),
        runtime=growing(240),
    params:
        files=showers.sampled,
        settings=showers.sampler_settings,
    message:
        "draw showers from {wildcards.model}, seed {wildcards.seed}, by {wildcards.sampler}"
    shell:
        "exec python -m cloudchamber showers sample {input.showers} --files {params.files:q}"
        " --settings {params.settings:q} --seed {wildcards.seed} --threads {threads} --output {output} > {log} 2>&1"


rule showers_sample_marginals:
    input:
        showers=showers.plan.showers,
        code=pipeline.code("showers sample-marginals"),
    output:
        "<results>/showers/models/{model}/seed{seed}/none.h5",
    log:
        "<logs>/showers/sample/{model}_seed{seed}.log",
    benchmark:
        "<logs>/showers/sample/{model}_seed{seed}.tsv"
    wildcard_constraints:
        model=pipeline.any_of(showers.baselines("marginals")),
        seed=r"\d+",
    conda:
        "../../envs/training.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    message:
        "draw showers of independent points, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber showers sample-marginals {input.showers} --seed {wildcards.seed}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule showers_sample_parametrised:
    input:
        showers=showers.plan.showers,
        code=pipeline.code("showers sample-parametrised"),
    output:
        "<results>/showers/models/{model}/seed{seed}/none.h5",
    log:
        "<logs>/showers/sample/{model}_seed{seed}.log",
    benchmark:
        "<logs>/showers/sample/{model}_seed{seed}.tsv"
    wildcard_constraints:
        model=pipeline.any_of(showers.baselines("parametrised")),
        seed=r"\d+",
    conda:
        "../../envs/simulation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(60),
    params:
        settings=showers.parametrised_settings,
    message:
        "draw parametrised showers, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber showers sample-parametrised {input.showers} --settings {params.settings:q}"
        " --seed {wildcards.seed} --threads {threads} --output {output} > {log} 2>&1"


rule showers_judge:
    input:
        files=showers.judged_inputs,
        code=pipeline.code("showers judge"),
    output:
        showers.plan.judgements,
    log:
        "<logs>/showers/judge.log",
    benchmark:
        "<logs>/showers/judge.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: showers.threads
    resources:
        mem_mb=growing(6000),
        runtime=growing(240),
    params:
        files=showers.judged,
        settings=showers.judge_settings,
        seed=pipeline.seed,
        state=showers.judge_state,
    message:
        "tell generated showers from true ones"
    shell:
        "exec python -m cloudchamber showers judge --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --state {params.state} --threads {threads} --output {output} > {log} 2>&1"


rule showers_evaluate:
    input:
        files=showers.judged_inputs,
        judgements=showers.plan.judgements,
        code=pipeline.code("showers evaluate"),
    output:
        **showers.plan.tables,
    log:
        "<logs>/showers/evaluate.log",
    benchmark:
        "<logs>/showers/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(6000),
        runtime=growing(120),
    params:
        files=showers.evaluated,
        settings=showers.evaluation_settings,
        seed=pipeline.seed,
    message:
        "compare generated showers with true ones"
    shell:
        "exec python -m cloudchamber showers evaluate --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --metrics {output.metrics} --profiles {output.profiles}"
        " --spectra {output.spectra} > {log} 2>&1"


rule showers_times:
    input:
        showers=showers.plan.showers,
        models=showers.timed_inputs,
        code=pipeline.code("showers measure-time"),
    output:
        showers.plan.times,
    log:
        "<logs>/showers/times.log",
    benchmark:
        "<logs>/showers/times.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    params:
        files=showers.timed,
        settings=showers.times_settings,
    message:
        "measure the time of a shower"
    shell:
        "exec python -m cloudchamber showers measure-time {input.showers} --files {params.files:q}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"
