"""Pulls one camera stream over RTSP and hands its pictures, sound and metadata to a sink, for ever.

Native asyncio over interleaved TCP and RTSPS; UDP and oddities through libav. Design note: docs/design/rtsp.md.
"""

from drivers.rtsp.source import RtspSource, StreamState, StreamStats
from drivers.rtsp.stream import RtspStream

__all__ = ["RtspSource", "RtspStream", "StreamState", "StreamStats"]
