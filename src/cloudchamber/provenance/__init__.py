"""What made a file, whether it is still what was written, and what a trained model is."""
