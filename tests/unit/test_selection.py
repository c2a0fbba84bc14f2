"""Which jets are accepted, by what their files say of them."""

import numpy as np
import pytest

from cloudchamber.preparation.selection import within
from cloudchamber.settings.ingestion import ReclusteredJets

PT, ETA = np.full(5, 500.0), np.zeros(5)


@pytest.mark.parametrize(
    ("window", "accepted"), [((0, 300), [1, 1, 1, 1, 0]), ((1, 300), [0, 0, 0, 1, 0]), (None, [1, 1, 1, 1, 1])]
)
def test_a_mass_that_rounding_made_negative_is_zero(window: tuple[float, float] | None, accepted: list[int]) -> None:
    """Real files of Delphes have some; a window from zero on left them out."""
    mass = np.array([-4e-6, -0.0, 0.0, 300.0, 301.0])
    windows = ReclusteredJets(kind="reclustered", pt_window=(0, 1000), mass_window=window, eta_max=2.0)
    assert within(PT, ETA, mass, windows).tolist() == [bool(item) for item in accepted]
