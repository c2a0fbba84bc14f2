"""What reads raw files: Delphes trees and the JetNet layout."""

__all__: list[str] = []
