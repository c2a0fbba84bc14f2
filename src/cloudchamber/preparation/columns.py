"""Columns that all clouds of jets have."""

from cloudchamber.cloud import Column

__all__ = ["CLASS_COLUMN", "JET_FEATURES", "LABEL_COLUMNS", "MULTIPLICITY"]

JET_FEATURES = (Column("jet_pt", "GeV"), Column("jet_eta"), Column("jet_phi", "rad"), Column("jet_mass", "GeV"))
MULTIPLICITY = Column("n_constituents")
LABEL_COLUMNS = (Column("file"), Column("event"), Column("jet"))
CLASS_COLUMN = Column("class")
