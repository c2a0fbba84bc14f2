"""Figures and tables of the report: one rule each, since Snakemake wants a caption file per rule.

Needs: metrics, clouds with observables, histories.
Makes: {results}/jet_generation/{dataset}/figures/{figure}.{pdf,png}, .../tables/{table}.{html,csv,tex},
{results}/figures/{detector_response,truncation}.{pdf,png}, {results}/tables/settings.{html,csv,tex}.
"""

for category, figure in pipeline.figures():

    rule:
        name:
            f"draw_{figure}"
        input:
            files=pipeline.figure_inputs(figure),
            code=pipeline.code("draw"),
        output:
            png=report(
                pipeline.figure(figure, "png"),
                caption=f"../report/{figure}.rst",
                category=category,
                labels=pipeline.labels(figure),
            ),
            pdf=pipeline.figure(figure, "pdf"),
        log:
            pipeline.drawing_log(figure, "log"),
        benchmark:
            pipeline.drawing_log(figure, "tsv")
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=3000,
            runtime=20,
        params:
            figure=figure,
            files=pipeline.figure_arguments(figure),
        message:
            f"draw {figure}"
        shell:
            "exec python -m cloudchamber draw {params.figure} --files {params.files:q} --threads {threads}"
            " --pdf {output.pdf} --png {output.png} > {log} 2>&1"


for table in pipeline.tables():

    rule:
        name:
            f"tabulate_{table}"
        input:
            files=pipeline.table_inputs(table),
            code=pipeline.code("draw"),
        output:
            html=report(
                pipeline.table(table, "html"),
                caption=f"../report/table_{table}.rst",
                category="Settings" if table == "settings" else "Tables",
                labels=pipeline.labels(table),
            ),
            csv=pipeline.table(table, "csv"),
            latex=pipeline.table(table, "tex"),
        log:
            pipeline.drawing_log(f"table_{table}", "log"),
        benchmark:
            pipeline.drawing_log(f"table_{table}", "tsv")
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=2000,
            runtime=20,
        params:
            table=table,
            files=pipeline.table_arguments(table),
        message:
            f"tabulate {table}"
        shell:
            "exec python -m cloudchamber tabulate {params.table} --files {params.files:q} --threads {threads}"
            " --html {output.html} --csv {output.csv} --latex {output.latex} > {log} 2>&1"
