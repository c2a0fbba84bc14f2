"""Generative models of clouds: paths, objectives, solvers, and the steps that train and draw."""
