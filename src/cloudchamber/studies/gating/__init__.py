"""Capacity of gating: how many Boolean functions one gate gains when another gate multiplies its output."""
