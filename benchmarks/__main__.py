"""``python -m benchmarks --output results/benchmarks.csv``: all measurements into one table."""

import argparse
import csv
import io
import sys
from pathlib import Path

import torch

from benchmarks import (
    active_matter,
    assignment,
    detector,
    epic,
    flow_map,
    ingestion,
    jet_metrics,
    neutrinos,
    neutron_stars,
    particlenet,
    showers,
    simulation,
    startup,
    transformer,
)
from benchmarks.timing import COLUMNS
from cloudchamber.storage import write_text

_ALL = {
    "epic": epic.measurements,
    "transformer": transformer.measurements,
    "particlenet": particlenet.measurements,
    "flow_map": flow_map.measurements,
    "ingestion": ingestion.measurements,
    "detector": detector.measurements,
    "simulation": simulation.measurements,
    "jet_metrics": jet_metrics.measurements,
    "neutron_stars": neutron_stars.measurements,
    "assignment": assignment.measurements,
    "startup": startup.measurements,
    "active_matter": active_matter.measurements,
    "showers": showers.measurements,
    "neutrinos": neutrinos.measurements,
}


def main() -> None:
    """Measure, print each row as it comes, and write the table at the end."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each side after one to warm up")
    parser.add_argument("--only", choices=sorted(_ALL), nargs="+", default=list(_ALL))
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    for name in options.only:
        for measurement in _ALL[name](options.rounds):
            row = measurement.row()
            table.writerow(row)
            target = f" (target {row['target']})" if row["target"] else ""
            print(
                f"{row['benchmark']}, {row['case']}: {row['ratio_best']} times as fast{target}, of medians "
                f"{row['ratio_median']}; {row['own_per_second']} {row['unit']}/s",
                flush=True,
            )
    write_text(options.output, text.getvalue())
    sys.stderr.write(f"benchmarks: written to {options.output}\n")


if __name__ == "__main__":
    main()
