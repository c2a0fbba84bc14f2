"""Figures and tables of the studies: one function per figure, plain data in, a matplotlib Figure out."""
