"""Jets and their observables: kinematics, N-subjettiness, energy flow."""
