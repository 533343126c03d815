"""Live pictures to partners' own systems: a read-only RTSP server inside TLS (RTSPS), fed as WebRTC viewers are.

Design note: docs/design/rtsp-out.md.
"""

from gateway.live.rtsp.server import RtspServer, open_rtsp

__all__ = ["RtspServer", "open_rtsp"]
