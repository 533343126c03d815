"""One small imaginary town: what stands there, who moves through it, and where cameras see it from.

Metres east and north of Market Square; every position is a pure function of seed, time and what the van was told.
"""
