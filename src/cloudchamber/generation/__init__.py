"""Generative models on particle clouds: probability paths, objectives and samplers."""
