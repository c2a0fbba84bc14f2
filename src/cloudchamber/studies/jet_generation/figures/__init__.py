"""Figures of the jet-generation study."""
