"""Events that are given up when their partons show that no jet of theirs can be in a window.

Pythia orders the radiation of an event, and the scatterings of other partons of the protons, by falling transverse
momentum. What makes a jet of quarks and gluons heavy comes first, what costs most comes last: at 10 GeV a few per cent
of the work are done. Resonances decay and radiate after all that: until then each is one parton, with its mass.
"""

from collections.abc import Sequence
from math import inf
from typing import Any, final

from cloudchamber.optional import optional_package
from cloudchamber.quiet_fastjet import fastjet
from cloudchamber.settings.processes import KeptEvents

__all__ = ["PartonVeto", "commands"]

# Numbers of the kinds of steps after which Pythia asks; above this one is the radiation of resonances that decay.
_LAST_STEP_OF_THE_MAIN_EVOLUTION = 3


def commands(keep: KeptEvents | None) -> list[str]:
    """Return the settings of Pythia with which events can be given up; none where all are kept."""
    # An event that is given up counts as generated, instead of being replaced without a word.
    return [] if keep is None else ["Check:abortIfVeto = on"]


@final
class PartonVeto:
    """Gives up events of one generator and counts them.

    Attributes:
        hook: object of Pythia to be asked about each event.
        vetoed: events given up so far.
    """

    def __init__(self, keep: KeptEvents) -> None:
        self.vetoed = 0
        self._keep = keep
        self._definitions = [fastjet.JetDefinition(fastjet.antikt_algorithm, radius) for radius in keep.radii]
        self.hook = self._hook()

    def gives_up(self, momenta: Sequence[Sequence[float]]) -> bool:
        """Return whether no jet of the partons ``momenta``, px, py, pz, E [GeV] is in the window."""
        keep = self._keep
        partons = [fastjet.PseudoJet(*momentum) for momentum in momenta]
        low, high = keep.mass or (-inf, inf)
        return not any(
            jet.pt() <= keep.pt[1] and low <= jet.m() <= high and abs(jet.eta()) <= keep.eta_max
            for definition in self._definitions
            for jet in fastjet.ClusterSequence(partons, definition).inclusive_jets(keep.pt[0])
        )

    def _hook(self) -> Any:
        scale = self._keep.scale

        def do_veto(_: Any, step: int, event: Any) -> bool:
            if step > _LAST_STEP_OF_THE_MAIN_EVOLUTION:
                return False
            partons = [(row.px(), row.py(), row.pz(), row.e()) for row in event.particles() if row.isFinal()]
            given_up = self.gives_up(partons)
            self.vetoed += given_up
            return given_up

        base = optional_package("pythia8mc", "simulation", "simulation").UserHooks
        methods = {"canVetoPT": lambda _: True, "scaleVetoPT": lambda _: scale, "doVetoPT": do_veto}
        return type("Hook", (base,), methods)()
