"""Viewers as benchmarks need them: real ICE, DTLS and SRTP, every packet decrypted, every picture checked, none drawn.

`python -m audience` (in this directory's parent) is the process; `process.py` starts it and asks it questions.
"""
