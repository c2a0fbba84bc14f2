"""The table of data.

Needs: every raw and external file that the analysis is made from.
Makes: {results}/data.csv: file, bytes, sha256, source.
"""


rule data_table:
    input:
        files=pipeline.data_inputs,
        code=code("data_table"),
    output:
        report(
            pipeline.layout.data_table,
            caption="../report/data.rst",
            category="Data",
            labels={"shows": "files and their hashes"},
        ),
    log:
        f"{pipeline.layout.logs}/data_table.log",
    benchmark:
        f"{pipeline.layout.logs}/data_table.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        files=pipeline.data_arguments,
    message:
        "hash raw and external files"
    shell:
        "exec python -m cloudchamber data-table --files {params.files:q} --threads {threads}"
        " --output {output} > {log} 2>&1"
