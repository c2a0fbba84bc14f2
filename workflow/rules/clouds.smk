"""Clouds.

Needs: raw files, simulated or the user's own, files of the JetNet layout, or labelled jets of a public layout; datasets
and detector_response in config.yaml.
Makes: {results}/clouds/{dataset}.h5, where many files are read {results}/clouds/{dataset}_{group}.h5 for each group of
them; {results}/prepared/{dataset}.h5 with {dataset}_split.h5 beside it, and for the
comparison with real Delphes {results}/detector_response/{process}/{own,real}.h5; beside clouds, the observables of
their jets. Where somebody asks for it, {results}/detector_response/{process}/counts.json: the counts of the jets after
real Delphes that the package holds.
"""


rule ingest:
    input:
        files=pipeline.clouds.files,
        code=pipeline.code("ingest"),
    output:
        "<results>/clouds/{dataset}.h5",
    log:
        "<logs>/ingest/{dataset}.log",
    benchmark:
        "<logs>/ingest/{dataset}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.clouds.ingested()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=pipeline.clouds.ingestion,
        stamp=pipeline.clouds.stamp,
    message:
        "ingest data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber ingest {input.files:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule ingest_group:
    input:
        files=pipeline.clouds.group_files,
        code=pipeline.code("ingest-group"),
    output:
        "<results>/clouds/{dataset}_{group}.h5",
    log:
        "<logs>/ingest_group/{dataset}_{group}.log",
    benchmark:
        "<logs>/ingest_group/{dataset}_{group}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.clouds.grouped()),
        group="[0-9]+-of-[0-9]+",
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=pipeline.clouds.ingestion,
        stamp=pipeline.clouds.group_stamp,
    message:
        "ingest data set {wildcards.dataset}, group {wildcards.group} of its files"
    shell:
        "exec python -m cloudchamber ingest-group {input.files:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule join_groups:
    input:
        parts=pipeline.clouds.parts,
        code=pipeline.code("join-groups"),
    output:
        "<results>/clouds/{dataset}.h5",
    log:
        "<logs>/join_groups/{dataset}.log",
    benchmark:
        "<logs>/join_groups/{dataset}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.clouds.grouped()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    message:
        "join the groups of files of data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber join-groups {input.parts} --threads {threads} --output {output} > {log} 2>&1"


rule from_jetnet:
    input:
        file=pipeline.clouds.files,
        code=pipeline.code("from-jetnet"),
    output:
        "<results>/clouds/{dataset}.h5",
    log:
        "<logs>/from_jetnet/{dataset}.log",
    benchmark:
        "<logs>/from_jetnet/{dataset}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.clouds.jetnet()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        options=pipeline.clouds.jetnet_options,
        stamp=pipeline.clouds.stamp,
    message:
        "read the JetNet file of data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber from-jetnet {input.file:q}{params.options}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule read_jets:
    input:
        files=pipeline.clouds.files,
        code=pipeline.code("read-jets"),
    output:
        "<results>/clouds/{dataset}.h5",
    log:
        "<logs>/read_jets/{dataset}.log",
    benchmark:
        "<logs>/read_jets/{dataset}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.clouds.labelled()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        layout=pipeline.clouds.labelled_layout,
        settings=pipeline.clouds.labelled_jets,
        stamp=pipeline.clouds.stamp,
    message:
        "read the labelled jets of data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber read-jets {input.files:q} --layout {params.layout}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule ingest_response:
    input:
        files=pipeline.clouds.response_files,
        code=pipeline.code("ingest"),
    output:
        "<results>/detector_response/{process}/{side}.h5",
    log:
        "<logs>/ingest_response/{process}_{side}.log",
    benchmark:
        "<logs>/ingest_response/{process}_{side}.tsv"
    wildcard_constraints:
        side="own|real",
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=pipeline.clouds.response_ingestion,
        stamp=pipeline.clouds.response_stamp,
    message:
        "ingest {wildcards.side} detector output of {wildcards.process}"
    shell:
        "exec python -m cloudchamber ingest {input.files:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule prepare:
    input:
        clouds="<results>/clouds/{dataset}.h5",
        indices=pipeline.clouds.split_files,
        code=pipeline.code("prepare"),
    output:
        clouds="<results>/prepared/{dataset}.h5",
        split="<results>/prepared/{dataset}_split.h5",
    log:
        "<logs>/prepare/{dataset}.log",
    benchmark:
        "<logs>/prepare/{dataset}.tsv"
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=pipeline.clouds.preparation,
        seed=pipeline.seed,
        stamp=pipeline.clouds.split_stamp,
    message:
        "prepare data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber prepare {input.clouds} --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --output {output.clouds} --split-output {output.split} > {log} 2>&1"


rule observe:
    input:
        clouds="<results>/{path}.h5",
        code=pipeline.code("observe"),
    output:
        "<results>/{path}_observables.h5",
    log:
        "<logs>/observe/{path}.log",
    benchmark:
        "<logs>/observe/{path}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(60),
    message:
        "observe {wildcards.path}"
    shell:
        "exec python -m cloudchamber observe {input.clouds} --threads {threads} --output {output} > {log} 2>&1"


rule delphes_counts:
    input:
        clouds="<results>/detector_response/{process}/real.h5",
        observables="<results>/detector_response/{process}/real_observables.h5",
        code=pipeline.code("delphes-counts"),
    output:
        "<results>/detector_response/{process}/counts.json",
    log:
        "<logs>/delphes_counts/{process}.log",
    benchmark:
        "<logs>/delphes_counts/{process}.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        settings=pipeline.clouds.process,
        delphes=pipeline.clouds.delphes(),
    message:
        "count jets of {wildcards.process} after real Delphes"
    shell:
        "exec python -m cloudchamber delphes-counts {input.clouds} --observables {input.observables}"
        " --settings {params.settings:q} --delphes {params.delphes:q} --threads {threads} --output {output} > {log} 2>&1"
