"""What taggers see: features of towers or of jets, standardised by numbers that lie in the network's file."""

from collections.abc import Callable, Mapping, Sequence
from typing import final

import torch
from torch import Tensor, nn

from cloudchamber.preparation.standardisation import Standardisation
from cloudchamber.settings.taggers import TowerFeatures

__all__ = ["HighLevelInputs", "TowerInputs", "aligned"]

# Below any real value, and only there so that logarithms of padded slots and of vanishing features are finite.
_SMALLEST = 1e-8
_SMALLEST_FEATURE = 1e-6


def aligned(towers: Tensor, mask: Tensor) -> Tensor:
    """Return the towers with two more columns: eta_rel and phi_rel of the jet turned about its axis, (B, P, 5).

    The direction along which the transverse momentum spreads most becomes the first of them, and the jet is mirrored so
    that both of its hardest tower are positive: jets that differ by such a turn look the same.

    Args:
        towers: (B, P, 3) pt_rel, eta_rel, phi_rel.
        mask: (B, P) bool, true for real towers.
    """
    pt, eta, phi = torch.where(mask.unsqueeze(2), towers, 0.0).unbind(2)
    with_pt = [(pt * product).sum(dim=1, keepdim=True) for product in (eta * eta, phi * phi, eta * phi)]
    # Without gradient, which a jet without a longest direction does not have.
    angle = 0.5 * torch.atan2(2 * with_pt[2], with_pt[0] - with_pt[1]).detach()
    along, across = angle.cos() * eta + angle.sin() * phi, angle.cos() * phi - angle.sin() * eta
    hardest = pt.argmax(dim=1, keepdim=True)
    turned = [values * torch.where(values.gather(1, hardest) < 0, -1.0, 1.0) for values in (along, across)]
    return torch.cat([towers, torch.stack(turned, dim=2)], dim=2)


def _relative(towers: Tensor, jets: Tensor) -> Tensor:
    return torch.cat([towers[:, :1], towers[:, -2:]], dim=1)


def _kinematic(towers: Tensor, jets: Tensor) -> Tensor:
    (pt_rel, true_eta), (eta, phi) = towers[:, :2].unbind(1), towers[:, -2:].unbind(1)
    jet_pt, jet_eta = jets.unbind(1)
    log_share = pt_rel.clamp(min=_SMALLEST).log()
    log_cosh, log_jet_cosh = torch.cosh(true_eta + jet_eta).log(), torch.cosh(jet_eta).log()
    log_pt = log_share + jet_pt.log()
    radius = (eta.square() + phi.square()).clamp(min=_SMALLEST**2).sqrt()
    features = [eta, phi, log_pt, log_pt + log_cosh, log_share, log_share + log_cosh - log_jet_cosh, radius]
    return torch.stack(features, dim=1)


_FEATURES: Mapping[TowerFeatures, tuple[tuple[str, ...], Callable[[Tensor, Tensor], Tensor]]] = {
    "relative": (("pt_rel", "eta_rel", "phi_rel"), _relative),
    "kinematic": (
        ("eta_rel", "phi_rel", "log_pt", "log_energy", "log_pt_rel", "log_energy_rel", "radius"),
        _kinematic,
    ),
}


@final
class TowerInputs(nn.Module):
    """Standardised features of massless towers.

    "relative" are pt_rel, eta_rel and phi_rel. "kinematic" are the seven kinematic ones of arXiv 2202.03772, table 2:
    differences in eta and phi to the jet axis, ln pT, ln E, ln pT / pT(jet), ln E / E(jet), distance to the axis. The
    energy of the jet is taken as its momentum, as if it had no mass.

    Args:
        kind: which features.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, kind: TowerFeatures) -> None:
        super().__init__()
        self.names, self._features = _FEATURES[kind]
        self.register_buffer("mean", torch.zeros(len(self.names)))
        self.register_buffer("deviation", torch.ones(len(self.names)))

    def fit(self, towers: Tensor, jets: Tensor) -> None:
        """Standardise from now on by mean and deviation over these towers.

        Args:
            towers: (R, 3) pt_rel, eta_rel, phi_rel of real towers, or (R, 5) as :func:`aligned` gives them.
            jets: (R, 2) transverse momentum [GeV] and eta of the jet of each.

        Raises:
            InputError: there are none, or a feature is constant.
        """
        _store(self, Standardisation.fit(self._features(towers.double(), jets.double()).numpy(), self.names))

    def forward(self, towers: Tensor, jets: Tensor) -> Tensor:
        """Map towers (R, 3) or (R, 5) and the jets (R, 2) they belong to, as in :meth:`fit`, to (R, F) features."""
        return (self._features(towers, jets) - self.mean) / self.deviation


@final
class HighLevelInputs(nn.Module):
    """Standardised logarithms of positive features of jets: mass, N-subjettiness.

    Args:
        names: of the features.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)
        self.register_buffer("mean", torch.zeros(len(self.names)))
        self.register_buffer("deviation", torch.ones(len(self.names)))

    def fit(self, values: Tensor) -> None:
        """Standardise from now on by mean and deviation over the logarithms of (N, H) features.

        Raises:
            InputError: there are none, or a feature is constant.
        """
        _store(self, Standardisation.fit(self._logarithms(values.double()).numpy(), self.names))

    def forward(self, values: Tensor) -> Tensor:
        """Map (N, H) features to (N, H)."""
        return (self._logarithms(values) - self.mean) / self.deviation

    def like_training(self, standardised: Tensor) -> Tensor:
        """Return (N, H) features of given values after standardisation, those of the training for normal numbers."""
        return (standardised * self.deviation + self.mean).exp()

    @staticmethod
    def _logarithms(values: Tensor) -> Tensor:
        # A jet of n towers has no N-subjettiness beyond N = n: it is zero.
        return values.clamp(min=_SMALLEST_FEATURE).log()


def _store(inputs: TowerInputs | HighLevelInputs, standardisation: Standardisation) -> None:
    inputs.mean.copy_(torch.tensor(standardisation.mean))
    inputs.deviation.copy_(torch.tensor(standardisation.deviation))
