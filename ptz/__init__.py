"""Steering: who holds the stick, the controller of one head, presets, aiming.

Design note: docs/design/steering.md.
"""
