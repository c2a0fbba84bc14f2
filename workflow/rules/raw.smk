"""Raw files: simulated, or downloaded.

Needs: processes in the configuration; for a data set with source.download a row of
src/cloudchamber/external_data.csv, and the network or a mirror in CLOUDCHAMBER_MIRRORS.
Makes: {results}/raw/{process}/{shard}.root, Delphes-schema ROOT files; data/external/{file}, shared by all analyses, and
data/external.lock, which pins what the table does not know. Downloads run where Snakemake runs, since compute nodes often
have no network.
"""


rule simulate:
    output:
        "<results>/raw/{process}/{shard}.root",
    log:
        "<logs>/simulate/{process}_{shard}.log",
    benchmark:
        "<logs>/simulate/{process}_{shard}.tsv"
    conda:
        "../../envs/simulation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=pipeline.clouds.process,
        seed=pipeline.seed,
        # There may be ten thousand of these jobs: source files as inputs of each would double the time of a plan.
        code=pipeline.simulation_stamp(pipeline.code("simulate")),
    message:
        "simulate {wildcards.process}, file {wildcards.shard}"
    shell:
        "exec python -m cloudchamber simulate --name {wildcards.process} --shard {wildcards.shard}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"


for name in pipeline.clouds.downloads():

    rule:
        name:
            f"download_{name}"
        output:
            pipeline.paths.external(name),
        log:
            f"logs/external/{name}.log",
        localrule: True
        conda:
            "../../envs/ingestion.yaml"
        threads: 1
        params:
            name=name,
            lock=pipeline.paths.external_lock,
        message:
            f"download {name}"
        shell:
            "exec python -m cloudchamber download {params.name} --lock {params.lock} --threads {threads}"
            " --output {output} > {log} 2>&1"
