"""Figures of the neutrino study."""
