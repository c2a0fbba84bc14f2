"""From raw files to padded clouds: selection, clustering, sorting, padding."""

__all__: list[str] = []
