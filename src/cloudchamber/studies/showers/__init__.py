"""Calorimeter showers: points of energy in the layers of a calorimeter, of many species of particles."""
