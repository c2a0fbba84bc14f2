"""Figures and tables of the report: one rule each, since Snakemake wants a caption file per rule.

Needs: metrics, clouds with observables, histories.
Makes: {results}/jet_generation/{dataset}/figures/{figure}.{pdf,png}, .../tables/{table}.{html,csv,tex},
{results}/tagging/figures/..., {results}/tagging/tables/..., {results}/figures/{detector_response,truncation}.{pdf,png},
{results}/tables/settings.{html,csv,tex}.
"""

for drawings, category, figure in pipeline.figures():

    rule:
        name:
            f"draw_{figure}"
        input:
            files=drawings.figure_inputs(figure),
            code=code("draw"),
        output:
            png=report(
                drawings.figure(figure, "png"),
                caption=f"../report/{figure}.rst",
                category=category,
                labels=drawings.labels(figure),
            ),
            pdf=drawings.figure(figure, "pdf"),
        log:
            drawings.drawing_log(figure, "log"),
        benchmark:
            drawings.drawing_log(figure, "tsv")
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
            files=drawings.figure_arguments(figure),
        message:
            f"draw {figure}"
        shell:
            "exec python -m cloudchamber draw {params.figure} --files {params.files:q} --threads {threads}"
            " --pdf {output.pdf} --png {output.png} > {log} 2>&1"


for drawings, table in pipeline.tables():

    rule:
        name:
            f"tabulate_{table}"
        input:
            files=drawings.table_inputs(table),
            code=code("tabulate"),
        output:
            html=report(
                drawings.table(table, "html"),
                caption=f"../report/table_{table}.rst",
                category=drawings.table_category(table),
                labels=drawings.labels(table),
            ),
            csv=drawings.table(table, "csv"),
            latex=drawings.table(table, "tex"),
        log:
            drawings.drawing_log(f"table_{table}", "log"),
        benchmark:
            drawings.drawing_log(f"table_{table}", "tsv")
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
            files=drawings.table_arguments(table),
        message:
            f"tabulate {table}"
        shell:
            "exec python -m cloudchamber tabulate {params.table} --files {params.files:q} --threads {threads}"
            " --html {output.html} --csv {output.csv} --latex {output.latex} > {log} 2>&1"
