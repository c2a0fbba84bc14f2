"""What the report shows: the summary, figures, tables, model cards, the table of data.

Needs: what each figure, table, card or answer names as its files.
Makes: {results}/{study}/.../figures/{figure}.{pdf,png}, .../tables/{table}.{html,csv,tex}, those of the whole analysis in
{results}/figures and {results}/tables; {results}/summary.{html,csv}, the page that opens the report; {card}.md of each
trained model; {results}/data.csv: file, bytes, sha256, source.
Each figure and table has a rule of its own, which depends on the code of that figure alone. Its caption stands beside the
function that draws it.
"""

for figure in pipeline.figures():

    rule:
        name:
            f"draw_{figure.rule}"
        input:
            files=figure.inputs,
            code=pipeline.code_of_drawing("draw", figure),
        output:
            png=report(
                figure.path("png"),
                caption="../report/caption.rst",
                category=figure.category,
                subcategory="Figures",
                labels=figure.labels,
            ),
            pdf=figure.path("pdf"),
        log:
            f"<logs>/{figure.log}.log",
        benchmark:
            f"<logs>/{figure.log}.tsv"
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
            figure=figure.key,
            files=figure.arguments,
            caption=figure.caption,
        message:
            f"draw {figure.key}"
        shell:
            "exec python -m cloudchamber draw {params.figure} --files {params.files:q} --threads {threads}"
            " --pdf {output.pdf} --png {output.png} > {log} 2>&1"


for table in pipeline.tables():

    rule:
        name:
            f"tabulate_{table.rule}"
        input:
            files=table.inputs,
            code=pipeline.code_of_drawing("tabulate", table),
        output:
            html=report(
                table.path("html"),
                caption="../report/caption.rst",
                category=table.category,
                subcategory="Tables",
                labels=table.labels,
            ),
            csv=table.path("csv"),
            latex=table.path("tex"),
        log:
            f"<logs>/{table.log}_table.log",
        benchmark:
            f"<logs>/{table.log}_table.tsv"
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
            table=table.key,
            # One table takes all settings: a dry run would print them whenever one has changed.
            files=table.unrecorded_arguments,
            stamp=table.stamp,
            caption=table.caption,
        message:
            f"tabulate {table.key}"
        shell:
            "exec python -m cloudchamber tabulate {params.table} --files {params.files:q} --threads {threads}"
            " --html {output.html} --csv {output.csv} --latex {output.latex} > {log} 2>&1"


rule summarise:
    input:
        files=pipeline.summary.inputs,
        code=pipeline.code_of_summary(),
    output:
        html=report(
            pipeline.summary.page,
            caption="../report/caption.rst",
            # The report sorts its categories by their names.
            category="Answers",
            labels={"shows": "summary"},
        ),
        csv=pipeline.summary.table,
    log:
        "<logs>/summarise.log",
    benchmark:
        "<logs>/summarise.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        studies=pipeline.summary.studies,
        files=pipeline.summary.arguments,
        caption=pipeline.caption("summarise"),
    message:
        "sum up what the studies answer"
    shell:
        "exec python -m cloudchamber summarise {params.studies} --files {params.files:q} --threads {threads}"
        " --html {output.html} --csv {output.csv} > {log} 2>&1"


rule model_card:
    input:
        files=pipeline.cards.inputs,
        code=pipeline.code_of_card,
    output:
        report(
            "<results>/{card}.md",
            caption="../report/caption.rst",
            category="Models",
            labels=pipeline.cards.labels,
        ),
    log:
        "<logs>/model_card/{card}.log",
    benchmark:
        "<logs>/model_card/{card}.tsv"
    wildcard_constraints:
        card=pipeline.any_of(pipeline.cards.names),
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(2000),
        runtime=growing(20),
    params:
        kind=pipeline.cards.kind,
        files=pipeline.cards.arguments,
        caption=pipeline.caption("model-card"),
    message:
        "describe {wildcards.card}"
    shell:
        "exec python -m cloudchamber model-card {params.kind} --files {params.files:q} --threads {threads}"
        " --output {output} > {log} 2>&1"


rule data_table:
    input:
        files=pipeline.data_inputs,
        # The table says what these were made from, and so comes after them.
        made=pipeline.sources.made(),
        code=pipeline.code("data-table"),
    output:
        report(
            pipeline.paths.data_table,
            caption="../report/caption.rst",
            category="Data",
            labels={"shows": "files and their hashes"},
        ),
    log:
        "<logs>/data_table.log",
    benchmark:
        "<logs>/data_table.tsv"
    conda:
        "../../envs/evaluation.yaml"
    threads: 1
    resources:
        mem_mb=growing(1000),
        runtime=growing(60),
    params:
        files=pipeline.data_arguments,
        stamp=pipeline.data_stamp,
        caption=pipeline.caption("data-table"),
    message:
        "hash raw and external files"
    shell:
        "exec python -m cloudchamber data-table --files - --threads {threads}"
        " --output {output} > {log} 2>&1 <<< {params.files:q}"
