"""Tables of the jet-generation study."""
