"""What ``import cloudchamber`` offers: plain arrays and files in, the functions of the pipeline behind.

The package itself (:mod:`cloudchamber`) takes its names from here when they are first used; ``docs/library.md`` lists
them. Nothing here computes anything that another room does not.
"""
