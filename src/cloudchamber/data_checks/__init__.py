"""Figures of the data that studies start from: the detector against Delphes, what padding costs."""
