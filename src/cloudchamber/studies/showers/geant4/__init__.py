"""Showers by Geant4, through the package geant4-pybind: the one room that knows of it."""
