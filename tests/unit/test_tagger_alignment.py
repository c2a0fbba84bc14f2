"""Jets turned to their longest direction before a tagger sees them."""

import numpy as np
import pytest
import torch
from pronged_jets import tagging_clouds
from torch import Tensor

from cloudchamber.classification.inputs import TowerInputs, aligned
from cloudchamber.classification.taggers import build_tagger
from cloudchamber.settings.networks import ParticleNetSettings
from cloudchamber.settings.taggers import ParticleFlowTagger, ParticleNetTagger
from cloudchamber.studies.tagging.figures.sample import turned

CLOUDS = tagging_clouds(jets=40)
PARTICLE_FLOW = ParticleFlowTagger(kind="particle_flow", tower=(8, 6), hidden=(10, 9))
PARTICLE_NET = ParticleNetTagger(
    kind="particle_net",
    inputs="relative",
    network=ParticleNetSettings(neighbours=4, blocks=((8, 8), (12, 10)), fusion=0, dense=8),
)


@pytest.fixture
def jets() -> tuple[Tensor, Tensor, Tensor]:
    towers = np.stack([CLOUDS.point(name) for name in ("pt_rel", "eta_rel", "phi_rel")], axis=2)
    jet = np.stack([CLOUDS.feature(name) for name in ("jet_pt", "jet_eta")], axis=1)
    return torch.from_numpy(towers), torch.from_numpy(jet), torch.from_numpy(CLOUDS.mask)


@pytest.mark.parametrize("settings", [PARTICLE_FLOW, PARTICLE_NET], ids=lambda value: value.kind)
def test_jets_may_be_turned_and_mirrored(
    settings: ParticleFlowTagger | ParticleNetTagger, jets: tuple[Tensor, Tensor, Tensor]
) -> None:
    towers, jet, mask = jets
    turn_and_mirror = torch.tensor([[0.6, 0.8], [0.8, -0.6]])
    changed = torch.cat([towers[:, :, :1], towers[:, :, 1:] @ turn_and_mirror], dim=2)
    for is_aligned in (False, True):
        torch.manual_seed(1)
        tagger = build_tagger(settings.model_copy(update={"aligned": is_aligned}), 3)
        tagger.fit(*jets)
        tagger.eval()
        with torch.no_grad():
            logits = tagger(*jets)
            torch.testing.assert_close(tagger.padded(*jets), logits)
            assert torch.allclose(tagger(changed, jet, mask), logits, atol=1e-5) == is_aligned


def test_it_is_the_turn_of_the_figures(jets: tuple[Tensor, Tensor, Tensor]) -> None:
    towers, _, mask = jets
    expected = np.stack([turned(CLOUDS).point(name) for name in ("eta_rel", "phi_rel")], axis=2)
    np.testing.assert_allclose(aligned(towers, mask)[:, :, 3:].numpy(), expected, atol=1e-5)


def test_what_lies_in_padded_slots_has_no_influence(jets: tuple[Tensor, Tensor, Tensor]) -> None:
    towers, _, mask = jets
    filled = torch.where(mask.unsqueeze(2), towers, torch.nan)
    torch.testing.assert_close(aligned(filled, mask)[mask], aligned(towers, mask)[mask])


def test_energies_are_those_of_the_jet_as_it_lies(jets: tuple[Tensor, Tensor, Tensor]) -> None:
    towers, jet, mask = jets
    inputs = TowerInputs("kinematic")
    rows = jet.repeat_interleave(mask.sum(dim=1), dim=0)
    plain, as_aligned = inputs(towers[mask], rows), inputs(aligned(towers, mask)[mask], rows)
    # All but the two coordinates.
    torch.testing.assert_close(as_aligned[:, 2:], plain[:, 2:], rtol=1e-4, atol=1e-5)
    assert not torch.allclose(as_aligned[:, :2], plain[:, :2])
