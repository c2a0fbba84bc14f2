"""Records beside files: what made each, where and when."""
