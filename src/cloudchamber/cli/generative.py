"""Commands of generative models: training, sampling, distances from truth, what solvers and models cost."""

from pathlib import Path

from cloudchamber.arguments import Commands, positive

__all__ = ["add"]


def add(commands: Commands) -> None:
    """Add the commands."""
    train = commands.add("train", "train a generative model")
    train.add("source", type=Path, metavar="prepared").training("a model")

    flow_map = commands.add("train-flow-map", "train a model of few evaluations on trajectories of another model")
    flow_map.add("source", type=Path, metavar="prepared")
    flow_map.model("teacher").training("a flow map")

    flow = commands.add("train-jet-flow", "train the flow of multiplicity, pT, eta, mass and sum of the particles")
    flow.add("source", type=Path, metavar="prepared").training("a jet-level flow")

    jets = commands.add("draw-jets", "draw the jets to generate: multiplicity, pT, eta, mass and sum")
    jets.add("source", type=Path, metavar="prepared").add("--jets", type=positive, required=True)
    jets.add("--model", nargs="*", type=Path, default=[], help="weights and description, where it is a flow")
    text = "draw no more than there are training jets, which give metrics their floor"
    jets.add("--at-most-training-jets", action="store_true", help=text).seed().output()

    compare_jets = commands.add("compare-jets", "distances between drawn jets and true ones")
    compare_jets.add("--truth", type=Path, required=True).add("--jets", dest="drawn", type=Path, required=True)
    compare_jets.settings("metrics").seed().output()

    sample = commands.add("sample", "draw clouds from a trained model")
    sample.add("jets_file", type=Path, metavar="jets", help="drawn by draw-jets").model().settings("a sampler")
    sample.add("--shard", default="1-of-1", help="the part of the jets to draw for, as in 2-of-8")
    sample.converted("shard", lambda text, shard: shard.parse(text)).seed().output()

    gather = commands.add("gather-sample", "put the shards of a sample together")
    gather.add("parts", type=Path, nargs="+", help="all shards, in any order").output()

    marginals = commands.add("sample-marginals", "draw clouds of independent particles")
    marginals.add("source", type=Path, metavar="prepared")
    marginals.add("--jets", dest="jets_file", type=Path, required=True, help="drawn by draw-jets")
    text = "the sum of the particles: rescaled to the one that was drawn, or left as it is"
    marginals.add("--momentum-sum", choices=("imposed", "free"), default="imposed", help=text).seed().output()

    scan = commands.add("solver-scan", "distances from truth against solver and evaluations")
    scan.add("jets_file", type=Path, metavar="jets", help="drawn by draw-jets").model()
    for name in ("truth", "truth-observables"):
        scan.add(f"--{name}", type=Path, required=True)
    scan.settings("a scan").settings("metrics", "metrics").seed().output()

    timing = commands.add("sampling-time", "time per jet against its number of particles")
    timing.json("--models", "sampler, weights and description of each model").settings("a measurement").output()

    compare = commands.add("compare", "distances between generated and true jets")
    for name in ("truth", "truth-observables", "sample", "sample-observables"):
        compare.add(f"--{name}", type=Path, required=True)
    compare.settings("metrics").seed().output()

    posterior = commands.add("log-posterior", "ParticleNet log posterior of generated classes")
    posterior.add("--truth", type=Path, required=True).named_files("--classes", "generated clouds")
    posterior.settings("a log posterior").seed()
    posterior.add("--state", type=Path, required=True, help="folder of the resumable state")
    posterior.outputs("history", text="output: training history")
    posterior.outputs("confusion", text="output: mean posterior of each class").output()

    test = commands.add("teacher-test", "classifier of the jets of a flow map against those of its teacher")
    test.add("--student", type=Path, required=True, help="generated clouds of the flow map")
    test.add("--teacher", type=Path, required=True, help="those of its teacher, from the same noise")
    test.settings("a teacher test").seed()
    test.add("--state", type=Path, required=True, help="folder of the resumable state")
    test.outputs("history", text="output: training history").output()

    evaluate = commands.add("evaluate", "gather all metrics of a study into one table")
    evaluate.add("--study", required=True).json("--files", "the tables and samples of each model").output()
