"""The studies: one room each. None imports another, and nothing outside but cloudchamber.analysis imports one."""
