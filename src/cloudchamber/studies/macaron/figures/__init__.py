"""Figures of the macaron study."""
