"""Commands of the gating study that write, for the tests of faults."""

import json

from stage import TABLE, Stage

_SETTINGS = json.dumps({"inputs": 2, "trials": 20})

STAGES = (
    Stage("gating count", {"counts": ".csv", "metrics": ".csv"}, lambda inputs: ["--settings", _SETTINGS], "rows"),
    Stage("gating check-identities", TABLE, lambda inputs: ["--settings", _SETTINGS, "--seed", "3"], "rows"),
)
