"""The process that codes one stream of H.265 anew as H.264 for browsers that play none; it knows only its pipes.

Design note: docs/design/live.md, *H.265*. The camera host's side is ``gateway.live.transcode``.
"""
