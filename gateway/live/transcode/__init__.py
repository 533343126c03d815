"""The camera host's side of coding H.265 anew: which processes run, for whom, and how many.

Design note: docs/design/transcoding.md. What runs in the process itself is ``gateway.transcoder``.
"""

from gateway.live.transcode.pool import Transcodes
from gateway.live.transcode.running import Transcode

__all__ = ["Transcode", "Transcodes"]
