"""Comparison of generated clouds with truth: observables, distances with uncertainties and floors, log posteriors."""
