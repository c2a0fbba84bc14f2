"""The jet-generation study."""
