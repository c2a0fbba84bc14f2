"""Figures of the tagging study."""
