"""The two numbers of the first baseline: muon length and shower energy of each interaction."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cloudchamber.figures.images import draw_image
from cloudchamber.settings.entries import need
from cloudchamber.studies.neutrinos.event_clouds import read_event_clouds
from cloudchamber.studies.neutrinos.high_level import event_features, muon_length, shower_energy
from cloudchamber.studies.neutrinos.names import INTERACTIONS
from cloudchamber.studies.neutrinos.reading import heading

__all__ = ["draw_baseline"]

CAPTIONS = {
    "baseline": (
        "Planes of the longest prong, which stands for the muon, against the energy of all hits that are not its own, "
        "of all events of each interaction. The shade is the share of the events of the interaction in a pixel, its "
        "scale the same in all panels; energies below 0.1 GeV are in the lowest pixels. A histogram of "
        "these two numbers is the first baseline. All is a stand-in, Pythia 8 on free protons in a toy detector, and "
        "not NOvA."
    ),
}

_BINS = 25


def draw_baseline(files: Mapping[str, Any]) -> Figure:
    """Draw a panel for each interaction.

    Args:
        files: "title", "source" and "events".

    Raises:
        InputError: the file cannot be used.
        SettingsError: a key is missing.
    """
    events = read_event_clouds(need(files, "events"))
    features = event_features(events)
    length = muon_length(features)
    # Both views see the energy.
    energy = np.log10(np.maximum(0.5 * events.window.mip * shower_energy(features), 0.1))
    edges = np.linspace(0, events.window.planes, _BINS + 1), np.linspace(-1, max(2.0, float(energy.max())), _BINS + 1)
    shares = []
    for kind in range(len(INTERACTIONS)):
        inside = events.interaction == kind
        counts, *_ = np.histogram2d(length[inside], energy[inside], bins=edges)
        shares.append(counts / max(int(inside.sum()), 1))
    figure = Figure(figsize=(10.0, 3.7), layout="constrained")
    axes = figure.subplots(1, len(INTERACTIONS), sharey=True)
    largest = max(float(values.max()) for values in shares)
    for axis, symbol, values in zip(axes, INTERACTIONS.values(), shares, strict=True):
        shown = np.where(values > 0, values, np.nan)
        image = draw_image(axis, shown, edges[0], cmap="viridis_r", vmin=0.0, vmax=largest)
        image.set_extent((edges[0][0], edges[0][-1], edges[1][0], edges[1][-1]))
        axis.set(title=symbol, xlabel="muon length [planes]")
    axes[0].set_ylabel(r"$\log_{10}$(shower energy / GeV)")
    figure.colorbar(image, ax=axes, label="share of events")
    figure.suptitle(heading(files))
    return figure
