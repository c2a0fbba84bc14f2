"""Downloads: one rule for each external file that a data set asks for.

Needs: source.download of a data set in config.yaml, a row of src/cloudchamber/external_data.csv; the network, or a
mirror in CLOUDCHAMBER_MIRRORS.
Makes: data/external/{file}, shared by all analyses; pins what the table does not know in data/external.lock.
They run where Snakemake runs, since compute nodes often have no network.
"""

for name in pipeline.downloads():

    rule:
        name:
            f"download_{name}"
        output:
            pipeline.layout.external(name),
        log:
            f"logs/external/{name}.log",
        localrule: True
        conda:
            "../../envs/ingestion.yaml"
        threads: 1
        params:
            name=name,
            lock=pipeline.layout.external_lock,
        message:
            f"download {name}"
        shell:
            "exec python -m cloudchamber download {params.name} --lock {params.lock} --threads {threads}"
            " --output {output} > {log} 2>&1"
