"""The tagging study."""
