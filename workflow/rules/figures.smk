"""Figures and tables of the report: one rule each, since Snakemake wants a caption file per rule.

Needs: metrics, clouds with observables, histories.
Makes: {results}/jet_generation/{dataset}/figures/{figure}.{pdf,png}, .../tables/{table}.{html,csv,tex},
{results}/figures/{detector_response,truncation}.{pdf,png}, {results}/tables/settings.{html,csv,tex}.
"""

for category, figure in pipeline.drawings.figures():

    rule:
        name:
            f"draw_{figure}"
        input:
            files=pipeline.drawings.figure_inputs(figure),
            code=code("draw"),
        output:
            png=report(
                pipeline.drawings.figure(figure, "png"),
                caption=f"../report/{figure}.rst",
                category=category,
                labels=pipeline.drawings.labels(figure),
            ),
            pdf=pipeline.drawings.figure(figure, "pdf"),
        log:
            pipeline.drawings.drawing_log(figure, "log"),
        benchmark:
            pipeline.drawings.drawing_log(figure, "tsv")
        group:
            "drawings"
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=growing(3000),
            runtime=growing(20),
            drawings=1,
        params:
            figure=figure,
            files=pipeline.drawings.figure_arguments(figure),
        message:
            f"draw {figure}"
        shell:
            "exec python -m cloudchamber draw {params.figure} --files {params.files:q} --threads {threads}"
            " --pdf {output.pdf} --png {output.png} > {log} 2>&1"


for table in pipeline.drawings.tables():

    rule:
        name:
            f"tabulate_{table}"
        input:
            files=pipeline.drawings.table_inputs(table),
            code=code("tabulate"),
        output:
            html=report(
                pipeline.drawings.table(table, "html"),
                caption=f"../report/table_{table}.rst",
                category="Settings" if table == "settings" else "Tables",
                labels=pipeline.drawings.labels(table),
            ),
            csv=pipeline.drawings.table(table, "csv"),
            latex=pipeline.drawings.table(table, "tex"),
        log:
            pipeline.drawings.drawing_log(f"table_{table}", "log"),
        benchmark:
            pipeline.drawings.drawing_log(f"table_{table}", "tsv")
        group:
            "drawings"
        conda:
            "../../envs/evaluation.yaml"
        threads: 1
        resources:
            mem_mb=growing(2000),
            runtime=growing(20),
            drawings=1,
        params:
            table=table,
            files=pipeline.drawings.table_arguments(table),
        message:
            f"tabulate {table}"
        shell:
            "exec python -m cloudchamber tabulate {params.table} --files {params.files:q} --threads {threads}"
            " --html {output.html} --csv {output.csv} --latex {output.latex} > {log} 2>&1"
