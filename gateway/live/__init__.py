"""Live pictures to browsers: WHEP sessions that pass the camera's own packets through WebRTC.

Design note: docs/design/live.md.
"""

from gateway.live.errors import LiveError
from gateway.live.feed import LiveFeed
from gateway.live.hub import LiveHub, LiveSession, open_live
from gateway.live.views import ViewerFacts

__all__ = ["LiveError", "LiveFeed", "LiveHub", "LiveSession", "ViewerFacts", "open_live"]
