"""Commands of the tagging study's own that write, for the tests of faults."""

from stage import OUTPUT, Stage

STAGES = (
    Stage(
        "tagging relevance",
        OUTPUT,
        lambda inputs: [inputs / "pronged.h5", "--model", inputs / "tagger.safetensors", inputs / "tagger.json"],
        "clouds",
    ),
)
