"""The systems: drift, noise and geometry of each, one file a system, and what is known of it in closed form."""
