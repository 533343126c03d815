"""Cameras that cost next to nothing, for benchmarks: real H.264, packetised once, the same bytes for every socket.

`python -m cheap_cameras` (in this directory's parent) is the process; `process.py` starts it and asks it questions.
"""
