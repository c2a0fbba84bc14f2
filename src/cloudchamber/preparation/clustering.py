"""Jets of massless constituents: clustering with FastJet (arXiv 1111.6097) and four-vector sums."""

from dataclasses import dataclass
from typing import Literal, final

import awkward as ak
import numpy as np

from cloudchamber.compiled_loops import compiled
from cloudchamber.jets.kinematics import MASS_ROUNDING
from cloudchamber.quiet_fastjet import fastjet

__all__ = ["Algorithm", "ClusteredJets", "JetKinematics", "cluster", "four_vector_sums"]

Algorithm = Literal["anti-kt", "kt", "cambridge-aachen"]

_ALGORITHMS = {
    "anti-kt": fastjet.antikt_algorithm,
    "kt": fastjet.kt_algorithm,
    "cambridge-aachen": fastjet.cambridge_algorithm,
}


@final
@dataclass(frozen=True)
class ClusteredJets:
    """Jets of several events, those of one event together.

    Attributes:
        event: (n_jets,) int64, number of the event in the batch.
        members: positions of the constituents of all jets in the flat input.
        offsets: (n_jets + 1,) int64; those of jet i are ``members[offsets[i]:offsets[i + 1]]``.
    """

    event: np.ndarray
    members: np.ndarray
    offsets: np.ndarray


@final
@dataclass(frozen=True)
class JetKinematics:
    """Sum of four-vectors, float64.

    Attributes:
        pt, eta, phi, mass: (n,) transverse momentum [GeV], pseudorapidity, azimuth in (-pi, pi] [rad], mass [GeV].
        sum_pt: (n,) scalar sum of the constituents' pT [GeV].
    """

    pt: np.ndarray
    eta: np.ndarray
    phi: np.ndarray
    mass: np.ndarray
    sum_pt: np.ndarray


def cluster(
    pt: np.ndarray,
    eta: np.ndarray,
    phi: np.ndarray,
    offsets: np.ndarray,
    *,
    algorithm: Algorithm,
    radius: float,
    pt_min: float,
) -> ClusteredJets:
    """Cluster the massless constituents of each event into inclusive jets (E scheme).

    Args:
        pt, eta, phi: (total,) finite kinematics of all constituents [GeV, 1, rad].
        offsets: (n_events + 1,) int64; event i has the constituents ``offsets[i]:offsets[i + 1]``.
        algorithm: sequential recombination algorithm.
        radius: jet radius R.
        pt_min: jets below this transverse momentum are left out [GeV].
    """
    pt, eta, phi = (np.asarray(values, np.float64) for values in (pt, eta, phi))
    components = {"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "E": pt * np.cosh(eta)}
    particles = ak.contents.RecordArray(
        [ak.contents.NumpyArray(values) for values in components.values()],
        list(components),
        parameters={"__record__": "Momentum4D"},
    )
    events = ak.Array(ak.contents.ListOffsetArray(ak.index.Index64(offsets), particles))
    definition = fastjet.JetDefinition(_ALGORITHMS[algorithm], radius)
    found = fastjet.ClusterSequence(events, definition).constituent_index(min_pt=pt_min).layout
    event = np.repeat(np.arange(len(offsets) - 1), np.diff(np.asarray(found.offsets)))
    jets = found.content.to_ListOffsetArray64(True)
    ends = np.asarray(jets.offsets)
    members = np.asarray(jets.content.data)[: ends[-1]] + np.repeat(offsets[event], np.diff(ends))
    return ClusteredJets(event, members, ends)


def four_vector_sums(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, offsets: np.ndarray) -> JetKinematics:
    """Sum the massless four-vectors of each cloud, in float64.

    A constituent with pT = 0 adds nothing, whatever its eta. A cloud without constituents gets zeros. A mass that is
    rounding of the energy is zero.

    Args:
        pt, eta, phi: (total,) kinematics of all constituents [GeV, 1, rad].
        offsets: (n + 1,) int64; cloud i has the constituents ``offsets[i]:offsets[i + 1]``.
    """
    sums = _sums(pt, eta, phi, np.asarray(offsets, np.int64))
    return JetKinematics(*sums)


@compiled()
def _sums(pt: np.ndarray, eta: np.ndarray, phi: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    out = np.zeros((5, len(offsets) - 1))
    for cloud in range(len(offsets) - 1):
        px = py = pz = energy = scalar = 0.0
        for i in range(offsets[cloud], offsets[cloud + 1]):
            if pt[i] > 0:
                p = np.float64(pt[i])
                px += p * np.cos(np.float64(phi[i]))
                py += p * np.sin(np.float64(phi[i]))
                pz += p * np.sinh(np.float64(eta[i]))
                energy += p * np.cosh(np.float64(eta[i]))
                scalar += p
        transverse = np.hypot(px, py)
        out[0, cloud] = transverse
        out[1, cloud] = np.arcsinh(pz / transverse) if transverse > 0 else 0.0
        out[2, cloud] = np.arctan2(py, px)
        mass_squared = energy * energy - transverse * transverse - pz * pz
        out[3, cloud] = 0.0 if mass_squared <= MASS_ROUNDING * energy * energy else np.sqrt(mass_squared)
        out[4, cloud] = scalar
    return out
