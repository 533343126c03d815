"""Rolling storage: muxer, writer, catalog, retention, timeline, playback, export and verify.

Design note: docs/design/recording.md.
"""
