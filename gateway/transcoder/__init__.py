"""The process that codes one stream of H.265 anew as H.264 for browsers that play none; it knows only its pipes.

Design note: docs/design/transcoding.md. The camera host's side is ``gateway.live.transcode``.
"""
