"""Figures of the study of active matter."""
