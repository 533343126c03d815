"""The simulated borough: a small town seen by ONVIF cameras whose every angle has a ground truth.

Product code: the demo, the tests and outsiders use it. Design note: docs/design/simulator.md.
"""
