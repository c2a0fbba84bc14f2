"""The tagging study: jets of several classes, taggers from towers and from high-level features, how well they do."""

__all__: list[str] = []
