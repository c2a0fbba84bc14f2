"""Neutron stars: the equation of state of dense matter from the masses and radii of a few stars."""
