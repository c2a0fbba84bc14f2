"""Clouds.

Needs: raw files, simulated or the user's own, files of the JetNet layout, or labelled jets of a public layout; datasets
and detector_response in config.yaml.
Makes: {results}/clouds/{dataset}.h5, {results}/prepared/{dataset}.h5 with {dataset}_split.h5 beside it, and for the
comparison with real Delphes {results}/detector_response/{process}/{own,real}.h5; beside clouds, the observables of
their jets.
"""


rule ingest:
    input:
        files=pipeline.dataset_files,
        code=code("ingest"),
    output:
        f"{pipeline.layout.results}/clouds/{{dataset}}.h5",
    log:
        f"{pipeline.layout.logs}/ingest/{{dataset}}.log",
    benchmark:
        f"{pipeline.layout.logs}/ingest/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.ingested_datasets()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=pipeline.ingestion_settings,
    message:
        "ingest data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber ingest {input.files:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule from_jetnet:
    input:
        file=pipeline.jetnet_file,
        code=code("from_jetnet"),
    output:
        f"{pipeline.layout.results}/clouds/{{dataset}}.h5",
    log:
        f"{pipeline.layout.logs}/from_jetnet/{{dataset}}.log",
    benchmark:
        f"{pipeline.layout.logs}/from_jetnet/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.jetnet_sources()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        options=pipeline.jetnet_options,
    message:
        "read the JetNet file of data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber from-jetnet {input.file:q}{params.options}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule read_jets:
    input:
        files=pipeline.dataset_files,
        code=code("read_jets"),
    output:
        f"{pipeline.layout.results}/clouds/{{dataset}}.h5",
    log:
        f"{pipeline.layout.logs}/read_jets/{{dataset}}.log",
    benchmark:
        f"{pipeline.layout.logs}/read_jets/{{dataset}}.tsv"
    wildcard_constraints:
        dataset=pipeline.any_of(pipeline.labelled_sources()),
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        layout=pipeline.labelled_layout,
        settings=pipeline.labelled_settings,
    message:
        "read the labelled jets of data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber read-jets {input.files:q} --layout {params.layout}"
        " --settings {params.settings:q} --threads {threads} --output {output} > {log} 2>&1"


rule ingest_response:
    input:
        files=pipeline.response_raw,
        code=code("ingest"),
    output:
        f"{pipeline.layout.results}/detector_response/{{process}}/{{side}}.h5",
    log:
        f"{pipeline.layout.logs}/ingest_response/{{process}}_{{side}}.log",
    benchmark:
        f"{pipeline.layout.logs}/ingest_response/{{process}}_{{side}}.tsv"
    wildcard_constraints:
        side="own|real",
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(30),
    params:
        settings=pipeline.response_settings,
    message:
        "ingest {wildcards.side} detector output of {wildcards.process}"
    shell:
        "exec python -m cloudchamber ingest {input.files:q} --settings {params.settings:q}"
        " --threads {threads} --output {output} > {log} 2>&1"


rule prepare:
    input:
        clouds=f"{pipeline.layout.results}/clouds/{{dataset}}.h5",
        indices=pipeline.split_files,
        code=code("prepare"),
    output:
        clouds=f"{pipeline.layout.results}/prepared/{{dataset}}.h5",
        split=f"{pipeline.layout.results}/prepared/{{dataset}}_split.h5",
    log:
        f"{pipeline.layout.logs}/prepare/{{dataset}}.log",
    benchmark:
        f"{pipeline.layout.logs}/prepare/{{dataset}}.tsv"
    conda:
        "../../envs/ingestion.yaml"
    threads: 1
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    params:
        settings=pipeline.preparation_settings,
        seed=pipeline.seed,
    message:
        "prepare data set {wildcards.dataset}"
    shell:
        "exec python -m cloudchamber prepare {input.clouds} --settings {params.settings:q} --seed {params.seed}"
        " --threads {threads} --output {output.clouds} --split-output {output.split} > {log} 2>&1"


rule observe:
    input:
        clouds=f"{pipeline.layout.results}/{{path}}.h5",
        code=code("observe"),
    output:
        f"{pipeline.layout.results}/{{path}}_observables.h5",
    log:
        f"{pipeline.layout.logs}/observe/{{path}}.log",
    benchmark:
        f"{pipeline.layout.logs}/observe/{{path}}.tsv"
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
