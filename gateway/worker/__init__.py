"""The camera host: owns a set of cameras entirely, and answers for them over a Unix socket.

Design note: docs/design/live.md, *Camera host*.
"""

from gateway.worker.collector import calm_collector
from gateway.worker.host import CameraHost
from gateway.worker.server import open_host, serve_host

__all__ = ["CameraHost", "calm_collector", "open_host", "serve_host"]
