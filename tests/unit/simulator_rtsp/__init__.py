"""The RTSP server of a simulated camera."""
