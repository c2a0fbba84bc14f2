"""Figures of the study of neutron stars."""
