"""Confined processes that decode what cameras send; they know only their pipes.

One codes a stream of H.265 anew as H.264 for browsers that play none (docs/design/transcoding.md; the camera host's
side is ``gateway.live.transcode``), another shows keyframes as small grey pictures (docs/design/health.md; its other
side is ``gateway.worker.looks``).
"""
