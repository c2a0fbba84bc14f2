"""Figures of the study of showers."""
