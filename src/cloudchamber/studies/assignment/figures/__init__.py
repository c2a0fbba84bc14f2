"""Figures of the assignment study."""
