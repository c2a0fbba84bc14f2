"""Trainings of all studies: one rule for each command that trains.

Needs: what the trainings of the studies name as their source.
Makes: {results}/{training}/{weights.safetensors,model.json,history.csv}. The resumable state lies in
state/{results}/{training}, which no rule declares: Snakemake deletes what is declared before each try.
"""

for command in pipeline.trainings.commands:

    rule:
        name:
            command.replace("-", "_").replace(" ", "_")
        input:
            source=pipeline.trainings.source,
            others=pipeline.trainings.inputs,
            code=pipeline.code(command),
        output:
            weights="<results>/{training}/weights.safetensors",
            description="<results>/{training}/model.json",
            history="<results>/{training}/history.csv",
        log:
            "<logs>/train/{training}.log",
        benchmark:
            "<logs>/train/{training}.tsv"
        wildcard_constraints:
            training=pipeline.any_of(pipeline.trainings.folders(command)),
        conda:
            "../../envs/training.yaml"
        threads: pipeline.trainings.threads
        resources:
            mem_mb=pipeline.trainings.memory,
            runtime=growing(720),
            gpu=pipeline.trainings.gpus,
            cpus_per_task=pipeline.trainings.cpus,
            nodes=pipeline.trainings.nodes,
            mpi=pipeline.trainings.mpi,
            tasks=pipeline.trainings.tasks,
            tasks_per_gpu=0,
        params:
            launcher=pipeline.trainings.launcher,
            command=command,
            options=pipeline.trainings.options,
            settings=pipeline.trainings.settings,
            seed=pipeline.trainings.seed,
            state=pipeline.trainings.state,
            title=pipeline.trainings.title,
        message:
            "train {params.title}, seed {params.seed}"
        shell:
            "exec {params.launcher}python -m cloudchamber {params.command} {input.source}{params.options}"
            " --settings {params.settings:q} --seed {params.seed} --state {params.state} --threads {threads}"
            " --weights {output.weights} --description {output.description} --history {output.history} > {log} 2>&1"
