"""The study of jet-parton assignment."""
