"""Active matter: score, probability flow and entropy production of particles that propel themselves (arXiv
2309.12991)."""
