"""The training loop: resumable to the bit on CPU, the same for generative models and classifiers."""
