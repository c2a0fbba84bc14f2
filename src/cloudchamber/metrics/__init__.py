"""Distances of samples from truth, each with its uncertainty and its floor."""
