"""Classifiers of jets: labelled samples, taggers, and how they are judged."""
