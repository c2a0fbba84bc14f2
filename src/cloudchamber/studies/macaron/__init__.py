"""The macaron study: attention as dynamics, the order of splitting schemes, a fair test of the Macaron block."""
