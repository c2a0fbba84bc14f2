"""What reads raw files: Delphes trees, the JetNet layout, public layouts of labelled jets."""

__all__: list[str] = []
