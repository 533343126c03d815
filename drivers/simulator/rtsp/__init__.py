"""A simulated camera's RTSP server: describes its streams and sends them, once packetised, to every client.

RTSP 1.0 (RFC 2326), RTP and RTCP (RFC 3550), H.264 (RFC 6184), H.265 (RFC 7798), G.711 (RFC 3551), ONVIF metadata
(ONVIF Streaming, section 5). Design note: docs/design/rtsp.md.
"""

from drivers.simulator.rtsp.server import rtsp_server

__all__ = ["rtsp_server"]
