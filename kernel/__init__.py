"""The floor everyone stands on: clock, supervision, lanes, media and head types, errors, ids, geography.

Standard library only. Design note: docs/design/architecture.md.
"""
