"""Results made ready for repositories: HEPData, Zenodo, RO-Crate."""
