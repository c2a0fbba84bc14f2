"""Neutrinos: interactions and prongs in two views (after arXiv 2303.06201), on a stand-in for NOvA."""
