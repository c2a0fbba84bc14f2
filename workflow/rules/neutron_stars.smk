"""The study of neutron stars: curves of mass and radius, observed stars, estimates of all methods, metrics.

Needs: nothing but its settings; estimates need the weights that training.smk makes.
Makes: {results}/neutron_stars/raw/{curves,grid}.h5, stars.h5, references/{constant,ridge,exact,case}.h5,
models/{model}/seed{seed}/{estimates,case}.h5 and metrics.csv.
"""

neutron_stars = pipeline.studies["neutron_stars"]


rule neutron_stars_solve:
    input:
        code=pipeline.code("neutron_stars solve"),
    output:
        curves=neutron_stars.curves,
        grid=neutron_stars.grid,
    log:
        "<logs>/neutron_stars/solve.log",
    benchmark:
        "<logs>/neutron_stars/solve.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=neutron_stars.curve_settings,
        seed=pipeline.seed,
    message:
        "solve the stars of equations of state"
    shell:
        "exec python -m cloudchamber neutron_stars solve --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --curves {output.curves} --grid {output.grid} > {log} 2>&1"


rule neutron_stars_observe:
    input:
        curves=neutron_stars.curves,
        code=pipeline.code("neutron_stars observe"),
    output:
        neutron_stars.sets,
    log:
        "<logs>/neutron_stars/observe.log",
    benchmark:
        "<logs>/neutron_stars/observe.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        settings=neutron_stars.star_settings,
        seed=pipeline.seed,
    message:
        "observe sets of stars"
    shell:
        "exec python -m cloudchamber neutron_stars observe {input.curves} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


rule neutron_stars_references:
    input:
        curves=neutron_stars.curves,
        sets=neutron_stars.sets,
        grid=neutron_stars.grid,
        code=pipeline.code("neutron_stars references"),
    output:
        **neutron_stars.references,
    log:
        "<logs>/neutron_stars/references.log",
    benchmark:
        "<logs>/neutron_stars/references.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
    params:
        settings=neutron_stars.measurement_settings,
    message:
        "estimate with the constant, ridge regression and the exact posterior"
    shell:
        "exec python -m cloudchamber neutron_stars references {input.curves} {input.sets} {input.grid}"
        " --settings {params.settings:q} --threads {threads} --constant {output.constant} --ridge {output.ridge}"
        " --exact {output.exact} --case {output.case} > {log} 2>&1"


rule neutron_stars_estimate:
    input:
        sets=neutron_stars.sets,
        grid=neutron_stars.grid,
        model=multiext("<results>/neutron_stars/models/{model}/seed{seed}/", "weights.safetensors", "model.json"),
        code=pipeline.code("neutron_stars estimate"),
    output:
        estimates="<results>/neutron_stars/models/{model}/seed{seed}/estimates.h5",
        case="<results>/neutron_stars/models/{model}/seed{seed}/case.h5",
    log:
        "<logs>/neutron_stars/estimate/{model}_seed{seed}.log",
    benchmark:
        "<logs>/neutron_stars/estimate/{model}_seed{seed}.tsv"
    conda:
        "../../envs/training.yaml"
    threads: neutron_stars.threads
    resources:
        mem_mb=growing(3000),
        runtime=growing(120),
    message:
        "estimate with {wildcards.model}, seed {wildcards.seed}"
    shell:
        "exec python -m cloudchamber neutron_stars estimate {input.sets} {input.grid} --model {input.model}"
        " --threads {threads} --output {output.estimates} --case {output.case} > {log} 2>&1"


rule neutron_stars_evaluate:
    input:
        files=neutron_stars.evaluation_inputs,
        code=pipeline.code("neutron_stars evaluate"),
    output:
        neutron_stars.metrics,
    log:
        "<logs>/neutron_stars/evaluate.log",
    benchmark:
        "<logs>/neutron_stars/evaluate.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        files=neutron_stars.evaluation_argument,
        settings=neutron_stars.measurement_settings,
        seed=pipeline.seed,
    message:
        "measure all methods on stars"
    shell:
        "exec python -m cloudchamber neutron_stars evaluate --files {params.files:q} --settings {params.settings:q}"
        " --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"
