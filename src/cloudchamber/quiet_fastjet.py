"""FastJet (hep-ph/0512210, arXiv 1111.6097) without what it prints: modules take ``fastjet`` from here."""

import fastjet
from fastjet._swig import ClusterSequence as _NativeClusterSequence

__all__ = ["fastjet"]

# The banner would go to standard output from C++ at the first clustering; the citation is above.
_NativeClusterSequence.set_fastjet_banner_stream(None)
