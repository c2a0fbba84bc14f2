"""The settings of an analysis: which keys config.yaml may have, their types and defaults.

Every model is frozen and refuses unknown keys. Importing these modules is cheap, since Snakemake does it for each job.
"""
