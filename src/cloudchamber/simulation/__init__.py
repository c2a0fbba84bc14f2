"""What makes raw files: collisions (Pythia 8), a vectorised detector (Delphes ATLAS card), jets, the file writer."""
