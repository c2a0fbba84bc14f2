"""Raw files.

Needs: processes in config.yaml.
Makes: {results}/raw/{process}/{shard}.root, Delphes-schema ROOT files.
"""


rule simulate:
    input:
        code=code("simulate"),
    output:
        f"{pipeline.layout.results}/raw/{{process}}/{{shard}}.root",
    log:
        f"{pipeline.layout.logs}/simulate/{{process}}_{{shard}}.log",
    benchmark:
        f"{pipeline.layout.logs}/simulate/{{process}}_{{shard}}.tsv"
    conda:
        "../../envs/simulation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(120),
    params:
        settings=pipeline.process_settings,
        seed=pipeline.seed,
    message:
        "simulate {wildcards.process}, file {wildcards.shard}"
    shell:
        "exec python -m cloudchamber simulate --name {wildcards.process} --shard {wildcards.shard}"
        " --settings {params.settings:q} --seed {params.seed} --threads {threads} --output {output} > {log} 2>&1"
