"""What moves the weights of a network by their gradients."""
