"""Neutrinos: interactions and prongs in two views, with and without each other (after arXiv 2303.06201), on a stand-in."""
