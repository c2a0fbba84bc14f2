"""Which jets of PFNano are clustered from candidates with PUPPI weights."""

__all__ = ["takes_puppi"]

# FatJet is; Jet is too in files of Run 3, and not in those of Run 2.
_WITH_PUPPI = ("FatJet",)


def takes_puppi(collection: str, said: bool | None) -> bool:
    """Return whether candidates are multiplied by their PUPPI weight: as is ``said``, else by what the jets are."""
    return collection in _WITH_PUPPI if said is None else said
