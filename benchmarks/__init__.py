"""The project's own measurements: each a ratio of two ways to do one thing, taken in one process."""
